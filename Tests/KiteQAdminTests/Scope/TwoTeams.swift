import KiteQBroker
import KiteQCore
import KiteQRegistry
import KiteQStore
import NIOCore
import Testing

@testable import KiteQAdmin

/// What two teams have in one broker: one `trade`, `s-member` and `p-pay`; the other `vault`, `s-vault` and `p-vault`, which the first
/// is not to hear of. Whatever is the others' has "vault" or "gold" in it.
struct TwoTeams: Sendable {
    static let own = NameScope(
        topics: [BindingName("trade")], groups: [BindingName("s-member"), BindingName("p-pay")])
    static let none = NameScope(topics: [], groups: [])

    static let policy = AccessPolicy(tokens: [
        AdminFixture.operate, AdminFixture.read,
        AccessToken(name: "team", role: .operate, scope: own, hash: AccessToken.hash(of: "team")),
        AccessToken(name: "nobody", role: .operate, scope: none, hash: AccessToken.hash(of: "none")),
        AccessToken(name: "wall", role: .counts, hash: AccessToken.hash(of: "wall")),
        AccessToken(
            name: "topics", role: .operate, scope: NameScope(topics: own.topics), hash: AccessToken.hash(of: "topics")),
    ])

    static var registry: StaticRegistry {
        StaticRegistry(bindings: [
            Binding(group: "s-member", topic: "trade", messageType: "paid"),
            Binding(group: "s-vault", topic: "trade", messageType: "gold"),
        ])
    }

    var fresh: MessageID
    var half: MessageID
    var letter: DeadLetterID
    /// Owed to both groups.
    var shared: MessageID
    /// Of the others.
    var freshOfOthers: MessageID
    /// Of the first one's topic, for the others' group alone.
    var tradeForOthers: MessageID
    var halfOfOthers: MessageID
    var letterOfOthers: DeadLetterID

    var idsOfOthers: [String] {
        [
            freshOfOthers.description, tradeForOthers.description, halfOfOthers.description,
            letterOfOthers.description,
        ]
    }

    /// Runs `body` with a broker whose store has all of that, with acts on both in the audit log.
    static func serving(
        policy: AccessPolicy = TwoTeams.policy,
        _ body: @escaping @Sendable (AdminFixture, TwoTeams) async throws -> Void
    ) async throws {
        try await AdminFixture.serving(policy: policy, registry: registry) { admin in
            let teams = try await fill(admin.store)
            // An act on each of everything, by who may do all.
            _ = try await admin.post("groups/s-vault/pause", #"{"reason": "gold"}"#)
            _ = try await admin.post("groups/s-member/pause", #"{"reason": "own pause"}"#)
            _ = try await admin.post("broker/reload", #"{"reason": "gold"}"#)
            try await body(admin, teams)
        }
    }

    private static func fill(_ store: InMemoryMessageStore) async throws -> TwoTeams {
        var writer = Writer(store: store)
        let fresh = try await writer.put("trade", "p-pay", ["s-member"])
        let half = try await writer.put("trade", "p-pay", nil)
        let shared = try await writer.put("trade", "p-pay", ["s-member", "s-vault"])
        let dead = try await writer.put("trade", "p-pay", ["s-member"])
        let freshOfOthers = try await writer.put("vault", "p-vault", ["s-vault"])
        let tradeForOthers = try await writer.put("trade", "p-vault", ["s-vault"])
        let halfOfOthers = try await writer.put("vault", "p-vault", nil)
        let deadOfOthers = try await writer.put("vault", "p-vault", ["s-vault"])
        try await writer.kill(dead, "s-member", "own error")
        try await writer.kill(deadOfOthers, "s-vault", "gold error")
        let letters = try await store.deadLetters(DeadLetterFilter(), after: nil, limit: 10).letters
        try await store.addSamples(
            ["trade", "vault"].map { topic in
                TopicSample(
                    at: SystemTime.wall() / TopicSample.width * TopicSample.width, broker: "test", topic: topic,
                    counters: TopicCounters(published: topic == "trade" ? 7 : 4_242))
            })
        return TwoTeams(
            fresh: fresh.message.id, half: half.message.id,
            letter: try #require(letters.first { $0.group == "s-member" }).id, shared: shared.message.id,
            freshOfOthers: freshOfOthers.message.id, tradeForOthers: tradeForOthers.message.id,
            halfOfOthers: halfOfOthers.message.id,
            letterOfOthers: try #require(letters.first { $0.group == "s-vault" }).id)
    }

    private struct Writer {
        let store: InMemoryMessageStore
        var generator = SequenceGenerator(incarnation: 7)

        init(store: InMemoryMessageStore) { self.store = store }

        /// - Parameter groups: nil: a half message.
        mutating func put(_ topic: String, _ publisher: String, _ groups: [String]?) async throws -> Insertion {
            let insertion = Insertion(
                seq: generator.next(now: SystemTime.wall()),
                message: Message(
                    id: .random(), kind: .string, topic: topic, messageType: topic == "trade" ? "paid" : "gold",
                    publisherGroup: publisher, expiresAt: SystemTime.wall() + 3_600_000, deliverLimit: 7,
                    publishedAt: SystemTime.wall(), header: ByteBuffer(string: "header"),
                    body: ByteBuffer(string: topic == "trade" ? "own body" : "gold body")),
                route: groups.map { Route($0.map { .init(group: $0, persistent: true) }) }, connectionGroup: publisher,
                firstCheckAt: SystemTime.wall() + 600_000)
            let outcomes = try await store.insert([insertion], shard: store.shardMap.shard(of: insertion.message.id))
            #expect(outcomes == [.stored])
            return insertion
        }

        func kill(_ insertion: Insertion, _ group: String, _ error: String) async throws {
            let settlement = Settlement(
                seq: insertion.seq,
                dead: [.init(group: group, attempts: 7, reason: .attemptsUsedUp, lastError: error)])
            let shard = store.shardMap.shard(of: insertion.message.id)
            #expect(try await store.settle([settlement], shard: shard).isEmpty)
        }
    }
}
