import KiteQCore
import Testing

@testable import KiteQStore

/// What a store gives whoever may see some topics and groups alone, in every store: all of theirs, page by page, and nothing else.
@Suite(.timeLimit(.minutes(2))) struct OperatorScopeTests {
    private static let stores = StoreUnderTest.available

    private static func scope(topics: [String]? = nil, groups: [String]? = nil) -> NameScope {
        NameScope(
            topics: topics.map { Set($0.map { BindingName($0) }) },
            groups: groups.map { Set($0.map { BindingName($0) }) })
    }

    /// For a, for a and b, and half of p-0 or p-1; of three topics.
    private func fill(_ store: any WholeStore) async throws -> [Insertion] {
        var messages = Messages()
        let routes: [[String]?] = [["a"], ["a", "b"], nil]
        return try await store.put(
            (0..<90).map { number in
                let message = Messages.message(topic: "t\(number / 3 % 3)")
                return messages.insertion(routes[number % 3], message.with(publisherGroup: "p-\(number % 2)"))
            })
    }

    @Test(arguments: stores) func aSearchFindsWhatIsWithinAScope(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            let all = try await fill(store)
            func check(
                _ scope: NameScope, group: String? = nil, _ isMeant: (Insertion) -> Bool,
                line: SourceLocation = #_sourceLocation
            ) async throws {
                var filter = MessageFilter()
                (filter.scope, filter.group) = (scope, group)
                for limit in [4, 500] {
                    let found = try await store.all(filter, limit: limit)
                    #expect(found.map(\.seq) == all.filter(isMeant).map(\.seq), sourceLocation: line)
                }
            }
            try await check(Self.scope(topics: ["t1", "none"])) { $0.message.topic == "t1" }
            try await check(Self.scope(topics: [])) { _ in false }
            // Of what is not half a row does not say whom it is owed to.
            try await check(Self.scope(groups: ["b", "p-1"])) { $0.isHalf && $0.message.publisherGroup == "p-1" }
            try await check(Self.scope(groups: ["b"]), group: "b") { $0.route?.members.count == 2 }
            try await check(Self.scope(groups: ["a"]), group: "b") { _ in false }
            try await check(Self.scope(topics: ["t2"], groups: ["b"]), group: "b") {
                $0.route?.members.count == 2 && $0.message.topic == "t2"
            }
        }
    }

    @Test(arguments: stores) func deadLettersAreListedAndCountedWithinAScope(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            let all = try await fill(store)
            let dead = all.filter { $0.route?.members.count == 2 }.map { insertion in
                Settlement(
                    seq: insertion.seq,
                    dead: ["a", "b"].map { .init(group: $0, attempts: 7, reason: .attemptsUsedUp, lastError: "no") })
            }
            #expect(try await store.settle(dead, shard: 0).isEmpty)
            let parked = all.filter(\.isHalf).map {
                TransactionCheck(seq: $0.seq, previousCheckAt: $0.firstCheckAt, action: .park)
            }
            #expect(try await store.reschedule(parked, shard: 0).count == 30)
            func check(
                _ scope: NameScope, _ count: Int, _ isMeant: (DeadLetter) -> Bool,
                line: SourceLocation = #_sourceLocation
            ) async throws {
                var filter = DeadLetterFilter()
                filter.scope = scope
                var letters: [DeadLetter] = []
                var cursor: DeadLetterCursor?
                repeat {
                    let page = try await store.deadLetters(filter, after: cursor, limit: 4)
                    letters += page.letters
                    cursor = page.next
                } while cursor != nil
                #expect(letters.count == count && letters.allSatisfy(isMeant), sourceLocation: line)
                #expect(await store.deadLetterCount(filter).count == BoundedCount(count), sourceLocation: line)
            }
            try await check(.all, 90) { _ in true }
            try await check(Self.scope(topics: ["t0"]), 30) { $0.topic == "t0" }
            try await check(Self.scope(groups: ["a"]), 30) { $0.group == "a" }
            // An undecided one is its publisher's.
            try await check(Self.scope(groups: ["p-0"]), 15) { $0.reason == .undecided && $0.publisherGroup == "p-0" }
            try await check(Self.scope(topics: ["t1"], groups: ["b", "p-1"]), 15) {
                $0.topic == "t1" && ($0.group == "b" || $0.publisherGroup == "p-1")
            }
            try await check(Self.scope(groups: [""]), 0) { _ in false }
        }
    }

    @Test(arguments: stores) func groupsThatAreNamedAreReportedAsInAPageOfAll(kind: StoreUnderTest) async throws {
        try await kind.withWholeStore { store, _ async throws in
            _ = try await fill(store)
            #expect(try await store.pause("b", by: "anna", reason: "why"))
            let (reports, failures) = await store.groupReports(of: ["b", "nobody", "a"])
            let all = await store.groupReports(after: nil, limit: 10).groups
            #expect(failures.isEmpty && Set(reports.map(\.name)) == ["a", "b", "nobody"])
            for report in reports where report.name != "nobody" { #expect(all.contains(report), "\(report.name)") }
            #expect(reports.first { $0.name == "nobody" } == GroupReport(name: "nobody"))
            #expect(reports.first { $0.name == "b" }?.pause?.pausedBy == "anna")
            #expect(await store.groupReports(of: []).reports.isEmpty)
        }
    }
}
