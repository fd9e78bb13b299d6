import Foundation
import HTTPTypes

/// A place in a listing that is ordered by texts: the key of the last item of a page. Written as base64 of their JSON, so that
/// any name fits into a query.
struct KeyCursor: Sendable, Hashable, Comparable {
    var parts: [String]

    init(_ parts: [String]) { self.parts = parts }

    /// - Throws: ``Problem`` where the text is of another listing. Nil is the beginning.
    init(_ text: String?, parts count: Int) throws(Problem) {
        guard let text else {
            parts = []
            return
        }
        guard let data = Data(base64Encoded: text), let parts = try? JSONDecoder().decode([String].self, from: data),
            parts.count == count
        else { throw Problem.wrongCursor }
        self.parts = parts
    }

    var text: String {
        get throws { try JSONEncoder().encode(parts).base64EncodedString() }
    }

    /// By bytes, as everything orders names here.
    static func < (a: KeyCursor, b: KeyCursor) -> Bool {
        a.parts.lexicographicallyPrecedes(b.parts) { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}

extension Page {
    /// The page behind a place of what is all in memory and in order.
    init(_ all: [Item], limit: Int, after place: KeyCursor, key: (Item) -> KeyCursor) throws {
        let rest = all.drop { !(place < key($0)) }
        let page = Array(rest.prefix(limit))
        self.init(items: page, next: rest.count > limit ? try page.last.map { try key($0).text } : nil)
    }
}
