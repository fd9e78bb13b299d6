import NIOCore
import Testing

@testable import KiteQCore

@Suite struct NameScopeTests {
    private static func names(_ names: String...) -> Set<BindingName> { Set(names.map { BindingName($0) }) }

    private static func summary(
        _ state: StoredMessage.State, topic: String = "trade", publisher: String = "p-pay"
    ) -> MessageSummary {
        MessageSummary(
            id: .random(), shard: 0, seq: 1, state: state, kind: .string, topic: topic, messageType: "paid",
            publisherGroup: publisher, owner: 0, publishedAt: 0, expiresAt: 0, deliverLimit: 1)
    }

    private static func letter(_ group: String, _ reason: DeadLetterReason = .expired) -> DeadLetter {
        DeadLetter(
            id: DeadLetterID(shard: 0, number: 1), seq: 1, messageID: .random(), group: group, reason: reason,
            attempts: 1,
            lastError: "no", diedAt: 0, expiresAt: 0, publishedAt: 0, deliverLimit: 1, kind: .string, topic: "trade",
            messageType: "paid", publisherGroup: "p-pay")
    }

    private static func story(
        _ message: MessageSummary?, owedTo groups: [String] = [], letters: [DeadLetter] = [],
        transaction: TransactionRecord? = nil
    ) -> MessageStory {
        MessageStory(
            id: .random(), shard: 0, message: message, content: nil,
            groups: groups.map { GroupDelivery(group: $0, state: .fresh, attempts: 0, lastError: nil) },
            transaction: transaction, deadLetters: letters)
    }

    @Test func anAbsentListIsAllAndAnEmptyOneIsNone() {
        let all = NameScope.all
        #expect(all.isAll && all.has(topic: "trade") && all.has(group: "s-a") && all.has(group: ""))
        let some = NameScope(topics: Self.names("trade"), groups: [])
        #expect(!some.isAll && some.has(topic: "trade") && !some.has(topic: "feed") && !some.has(group: "s-a"))
        // By their bytes, as everything compares names: é as one scalar and as two.
        #expect(!NameScope(groups: Self.names("\u{e9}")).has(group: "e\u{301}"))
    }

    @Test func aHalfMessageIsItsPublishers() {
        var filter = MessageFilter()
        filter.scope = NameScope(groups: Self.names("p-pay"))
        #expect(filter.matches(Self.summary(.half)))
        #expect(!filter.matches(Self.summary(.half, publisher: "p-other")))
        #expect(!filter.matches(Self.summary(.fresh)), "whom it is owed to is not known")
        filter.group = "p-pay"
        #expect(filter.matches(Self.summary(.fresh)))
        filter.group = "s-a"
        #expect(!filter.matches(Self.summary(.fresh)))
        #expect(filter.scope.has(Self.letter("", .undecided)) && !filter.scope.has(Self.letter("s-a")))
    }

    @Test func ofAStoryOtherGroupsAreLeftOut() throws {
        let scope = NameScope(groups: Self.names("s-a"))
        let whole = Self.story(
            Self.summary(.tracked), owedTo: ["s-a", "s-b"], letters: [Self.letter("s-b"), Self.letter("s-a")],
            transaction: TransactionRecord(
                outcome: .committed, checks: 0, at: 0, publisherGroup: "p-pay", connectionGroup: "p-pay"))
        let seen = try #require(whole.within(scope))
        #expect(seen.groups.map(\.group) == ["s-a"] && seen.deadLetters.map(\.group) == ["s-a"])
        #expect(seen.transaction == nil && !"\(seen.events)".contains("s-b"))
        #expect(whole.within(.all) == whole)
        #expect(whole.within(NameScope(groups: Self.names("s-c"))) == nil)
        #expect(whole.within(NameScope(groups: Self.names("p-pay"))) == nil, "it is not half any more")
        #expect(whole.within(NameScope(topics: Self.names("feed"))) == nil)
        #expect(whole.within(NameScope(topics: Self.names("trade"))) == whole)
        #expect(Self.story(Self.summary(.half)).within(NameScope(groups: Self.names("p-pay"))) != nil)
        #expect(Self.story(Self.summary(.half)).within(scope) == nil)
    }

    /// What is left of it does not say of what topic it was.
    @Test func aDecisionAloneIsForWhomAllTopicsAre() {
        let record = TransactionRecord(
            outcome: .rolledBack, checks: 0, at: 0, publisherGroup: "p-pay", connectionGroup: "p-pay")
        let story = Self.story(nil, transaction: record)
        #expect(story.within(NameScope(topics: Self.names("trade"))) == nil)
        #expect(story.within(NameScope(groups: Self.names("p-pay"))) == story)
        #expect(story.within(NameScope(groups: Self.names("s-a"))) == nil)
    }
}
