import ArgumentParser
import KiteQCore
import KiteQStore

/// Which dead letters a command changes: those that are named, or those that a filter finds.
struct DeadLetterSelection: ParsableArguments {
    @Argument(help: "SHARD:ID as list shows it, or a message id.")
    var ids: [DeadLetterReference] = []

    @OptionGroup(title: "Filter") var filter: DeadLetterFilterArguments

    @Flag(help: "All of them, except undecided half messages.")
    var all = false

    @Option(
        help: ArgumentHelp("At most so many of what the filter finds, oldest first. Default: 1000.", valueName: "n"))
    var limit: Int?

    private static let defaultLimit = 1_000
    private static let pageSize = 200

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit takes a number from 1.") }
        if ids.isEmpty {
            if all, !filter.isEmpty { throw ValidationError("--all and a filter exclude each other.") }
            if !all, filter.isEmpty {
                throw ValidationError("Say which: ids, a filter such as --group, or --all.")
            }
            return
        }
        var others = filter
        others.group = nil
        guard !all, limit == nil, others.isEmpty else {
            throw ValidationError("Give either ids or a filter; with a message id only --group can be added.")
        }
        if filter.group != nil, ids.contains(where: { if case .letter = $0 { true } else { false } }) {
            throw ValidationError("--group is for message ids: SHARD:ID is of one group already.")
        }
    }

    /// Calls `body` with letters, page by page. Where ids are given it is once for each id: with none where there is no such
    /// letter.
    ///
    /// An undecided half message is found by a filter only where that asks for such: to give one back is to commit it, to
    /// delete one is to roll it back. What dies while this runs is left alone, so that a letter which dies again at once
    /// does not go round for ever.
    /// - Returns: whether the limit ended it and there are more.
    func forEachPage(
        in store: DeadLetterStore, _ body: (DeadLetterReference?, [DeadLetter]) async throws -> Void
    ) async throws -> Bool {
        for id in ids { try await body(id, try await id.letters(in: store, group: filter.group)) }
        guard ids.isEmpty else { return false }
        let now = try await store.now()
        var found = filter.filter(now: now)
        if filter.reason == nil { found.reasons.remove(.undecided) }
        found.diedBefore = found.diedBefore ?? now + 1
        var left = limit ?? Self.defaultLimit
        var cursor: DeadLetterCursor?
        repeat {
            let page = try await store.list(found, after: cursor, limit: min(left, Self.pageSize))
            try await body(nil, page.letters)
            left -= page.letters.count
            cursor = page.next
        } while left > 0 && cursor != nil
        guard let cursor else { return false }
        return try await !store.list(found, after: cursor, limit: 1).letters.isEmpty
    }
}
