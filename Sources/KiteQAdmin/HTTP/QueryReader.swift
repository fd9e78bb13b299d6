import HTTPTypes
import Hummingbird
import KiteQCore

/// Reads a request's query, strictly: a parameter that is not known, twice there or not what it must be is a 400, for a filter
/// that was passed over would show what was not asked for.
struct QueryReader {
    private var rest: [String: String] = [:]

    init(_ request: Request) throws(Problem) {
        for (key, value) in request.uri.queryParameters {
            let name = String(key)
            guard rest.updateValue(String(value), forKey: name) == nil else {
                throw Problem(.badRequest, "the parameter \(VisibleText.shortened(name)) is given twice")
            }
        }
    }

    mutating func text(_ name: String, upTo bytes: Int = 8_192) throws(Problem) -> String? {
        guard let value = rest.removeValue(forKey: name) else { return nil }
        guard value.utf8.count <= bytes else { throw Problem(.badRequest, "\(name) is longer than \(bytes) bytes") }
        return value
    }

    /// A topic's, type's or group's name.
    mutating func name(_ name: String) throws(Problem) -> String? {
        guard let value = try text(name, upTo: 255) else { return nil }
        guard !value.isEmpty else { throw Problem(.badRequest, "\(name) is empty") }
        return value
    }

    mutating func integer(_ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
        guard let value = try text(name, upTo: 20) else { return nil }
        guard let number = Int(value), range.contains(number) else {
            throw Problem(.badRequest, "\(name) must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// The number of an item, as a place in a listing.
    mutating func number(_ name: String) throws(Problem) -> UInt64? {
        guard let value = try text(name, upTo: 20) else { return nil }
        guard let number = UInt64(value) else { throw Problem.wrongCursor }
        return number
    }

    mutating func time(_ name: String) throws(Problem) -> Timestamp? {
        guard let value = try text(name, upTo: 40) else { return nil }
        guard let time = Time(value) else {
            throw Problem(.badRequest, "\(name) must be a time such as 2026-01-31T09:30:00.000Z")
        }
        return time.timestamp
    }

    mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, _ type: Choice.Type
    ) throws(Problem) -> Choice? {
        guard let value = try text(name, upTo: 40) else { return nil }
        guard let choice = Choice(rawValue: value) else {
            let all = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw Problem(.badRequest, "\(name) must be one of \(all)")
        }
        return choice
    }

    /// Rows of a page.
    mutating func limit() throws(Problem) -> Int { try integer("limit", in: 1...500) ?? 100 }

    /// To be called last.
    func refuseRest() throws(Problem) {
        if let name = rest.keys.min() {
            throw Problem(.badRequest, "the parameter \(VisibleText.shortened(name)) is not known here")
        }
    }
}
