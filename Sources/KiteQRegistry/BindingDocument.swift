import Foundation
import KiteQCore

/// The JSON array that a binding node of ZooKeeper holds: a group's bindings to one topic.
///
/// The node's path decides which topic is meant, since it is what the broker watches: an entry that names another topic
/// is left out. The entry decides which group gets the messages, as in the original broker; where it names none it is
/// the path's. An entry that is well formed but of no use (another topic, a bind type above 2, a name too long) is left out
/// and reported, and the others count; data of another form is an error, and then the last good data stays in force.
struct BindingDocument: Equatable {
    var bindings: [Binding] = []
    /// What was left out and why, one clause each.
    var problems: [String] = []

    /// The data is no array of bindings; the text says why, as a clause.
    struct Malformed: Error, Equatable {
        var reason: String
    }

    /// The fields, by the names that Go's and Java's clients write. What is absent has Go's zero value.
    private struct Entry: Codable {
        var groupId: String?
        var topic: String?
        var messageType: String?
        var bindType: Int?
        var version: String?
        var watermark: Int?
        var persistent: Bool?
    }

    init(_ data: [UInt8], topic: String, group: String) throws(Malformed) {
        guard !data.isEmpty else { throw Malformed(reason: "is empty") }
        let entries: [Entry]
        do {
            entries = try JSONDecoder().decode([Entry].self, from: Data(data))
        } catch {
            throw Malformed(reason: "is no JSON array of bindings: \(Self.clause(for: error))")
        }
        for entry in entries {
            if let other = entry.topic, !other.utf8.elementsEqual(topic.utf8) {
                problems.append("an entry is for the topic '\(other)'")
                continue
            }
            guard let kind = BindKind(rawValue: entry.bindType ?? 0) else {
                problems.append("an entry has the bindType \(entry.bindType ?? 0), which is none of 0, 1, 2")
                continue
            }
            let entryGroup = entry.groupId.flatMap { $0.isEmpty ? nil : $0 } ?? group
            let binding = Binding(
                group: entryGroup, topic: topic, messageType: entry.messageType ?? "", kind: kind,
                watermark: entry.watermark ?? 0, persistent: entry.persistent ?? false)
            if let problem = binding.problem {
                problems.append("an entry \(problem)")
                continue
            }
            bindings.append(binding)
        }
    }

    /// The data of a node for these bindings, as the Go client writes it.
    static func encode(_ bindings: [Binding]) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let entries = bindings.map {
            Entry(
                groupId: $0.group, topic: $0.topic, messageType: $0.messageType, bindType: $0.kind.rawValue,
                version: "1.0.0", watermark: $0.watermark, persistent: $0.persistent)
        }
        return Array(try encoder.encode(entries))
    }

    private static func clause(for error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context):
            let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
            return path.isEmpty ? "it is something else" : "\(path.joined(separator: ".")) has another type"
        case .dataCorrupted: return "it does not parse"
        @unknown default: return "it does not parse"
        }
    }
}
