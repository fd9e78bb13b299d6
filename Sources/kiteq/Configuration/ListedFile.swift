/// What a file that lists who may come in held when it was read. A reload takes no file that takes the most of them away: what was
/// emptied or cut by mistake would send everybody away, and let nobody in.
struct ListedFile: Sendable, Hashable {
    /// What it lists: `group`.
    var kind: String
    var content: FileContent
    var names: Set<String>
    /// Those of them that have to show who they are.
    var shown: Set<String>

    /// What whoever starts with it should know, each a sentence.
    var warnings: [String] {
        if names.isEmpty { return ["\(content.path) names no \(kind), so nobody who needs one is let in"] }
        return content.endsWithALine
            ? []
            : ["\(content.path) does not end with a line break: it may be cut, and a reload of such a file is refused"]
    }

    /// Why a reload does not take it in the place of what is in force, a sentence; nil where it does.
    func objection(after old: ListedFile) -> String? {
        if content.bytes == old.content.bytes { return nil }
        if names.isEmpty, !old.names.isEmpty {
            return
                "\(content.path) names no \(kind), and there were \(old.names.count): nobody would be let in any more"
        }
        if let name = old.shown.intersection(names).subtracting(shown).min() {
            return
                "\(content.path): \(kind) \(name) has lost what it is known by; where it is to go, take its whole table out"
        }
        if let cut = content.cut(after: old.content) { return "\(content.path) \(cut)" }
        let lost = old.names.subtracting(names)
        guard lost.count * 2 > old.names.count else { return nil }
        return
            "\(content.path) lacks \(lost.count) of the \(old.names.count) \(kind)s that there were (\(lost.sorted().prefix(3).joined(separator: ", ")), …); "
            + "where that is meant, take out at most half of them with one reload"
    }
}
