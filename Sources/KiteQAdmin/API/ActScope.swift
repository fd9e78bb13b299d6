import Foundation
import KiteQCore

/// Which topics and groups an entry of the audit log is about, so that whoever may see some of them alone sees the entries that are about
/// nothing else.
///
/// An act on a group has it in its target. Others say it in their detail, under ``key``: pairs of a topic and a group as JSON, of
/// which either may be empty. An entry that says nothing, or is about more than fits, is for those who may see all.
enum ActScope {
    static let key = "about"
    /// Pairs of one entry.
    private static let maxPairs = 50

    struct Pair: Hashable {
        var topic: String
        var group: String
    }

    /// The text for an entry's detail; nil where there are too many, or none.
    static func text(_ pairs: Set<Pair>) -> String? {
        guard !pairs.isEmpty, pairs.count <= maxPairs else { return nil }
        let sorted = pairs.map { [$0.topic, $0.group] }.sorted { $0.lexicographicallyPrecedes($1) }
        // Two lists of texts: nothing of them is no JSON.
        return (try? JSONEncoder().encode(sorted)).map { String(decoding: $0, as: UTF8.self) }
    }

    static func has(_ entry: AuditEntry, in scope: NameScope) -> Bool {
        guard !scope.isAll else { return true }
        // A detail that was too long says so in place of what it said (`AuditEntry.detailLimit`), and is no object of texts.
        let detail = try? JSONDecoder().decode([String: String].self, from: Data(entry.detail.utf8))
        if let text = detail?[key] {
            // Not as this broker writes it: then it is for those who may see all.
            guard let pairs = try? JSONDecoder().decode([[String]].self, from: Data(text.utf8)) else { return false }
            return pairs.allSatisfy { pair in
                pair.count == 2 && (pair[0].isEmpty || scope.has(topic: pair[0]))
                    && (pair[1].isEmpty || scope.has(group: pair[1]))
            }
        }
        return entry.action.hasPrefix("groups.") && scope.has(group: entry.target)
    }
}
