import KiteQCore
import KiteQStore
import NIOCore
import Testing

@testable import KiteQBroker

/// Brokers whose clock is wrong, and servers whose clock jumps. The store's clock is moved instead of this machine's.
@Suite(.timeLimit(.minutes(2))) struct ClockTests {
    private static let day: Timestamp = 86_400_000

    /// What waits in the store: of a group that is away, unless said otherwise.
    private struct Waiting {
        private var seq: Int64 = 0
        var insertions: [Insertion] = []
        var settlements: [Settlement] = []

        @discardableResult
        mutating func add(
            expiresAt: Timestamp, dueAt: Timestamp = 0, group: String = "s-away", dead: DeadLetterReason? = nil
        ) -> Int64 {
            seq += 1
            let message = Message(
                id: .random(), kind: .string, topic: "trade", messageType: "paid", publisherGroup: "p-pay",
                expiresAt: expiresAt, deliverLimit: 100, publishedAt: 1, header: ByteBuffer(string: "h"),
                body: ByteBuffer(string: "b"))
            insertions.append(
                Insertion(
                    seq: seq, message: message, route: Route([.init(group: group, persistent: true)]),
                    connectionGroup: "p-pay", firstCheckAt: 0))
            let letters = dead.map { [Settlement.Dead(group: group, attempts: 3, reason: $0)] } ?? []
            settlements.append(
                Settlement(
                    seq: seq, dead: letters,
                    pending: dead == nil ? [.init(group: group, attempts: 3, dueAt: dueAt)] : []))
            return seq
        }
    }

    private func put(_ waiting: Waiting, into store: InMemoryMessageStore) async throws {
        let other = store.session()
        _ = try await other.join(as: BrokerIdentity(name: "other", address: "127.0.0.1:1"))
        _ = try await other.insert(waiting.insertions, shard: 0)
        _ = try await other.settle(waiting.settlements, shard: 0)
    }

    private func letters(_ store: InMemoryMessageStore) async throws -> [Int64] {
        try await store.deadLetters(DeadLetterFilter(), after: nil, limit: 100).letters.map(\.seq).sorted()
    }

    /// By how much the store's clock leads: the broker's is ahead by 31 and 8 days, right, and an hour behind.
    @Test(arguments: [-31 * day, -8 * day, 0, day / 24]) func whatIsStoredGoesByTheStoresClock(_ lead: Timestamp)
        async throws
    {
        let store = InMemoryMessageStore(shards: 1)
        store.setClock(ahead: lead)
        let now = SystemTime.wall() + lead
        var waiting = Waiting()
        let dead = waiting.add(expiresAt: now + Self.day, dead: .attemptsUsedUp)
        waiting.add(expiresAt: now + 7 * Self.day)
        waiting.add(expiresAt: now + 60_000)
        let due = waiting.add(expiresAt: now + 3_600_000, dueAt: now - 1, group: "s-member")
        let expired = waiting.add(expiresAt: now - 1)
        try await put(waiting, into: store)
        try await BrokerFixture.serving(
            store: store, configure: { $0.recoveryInterval = .milliseconds(20) }
        ) { broker in
            let messaging = try broker.messaging()
            let pulled = try await messaging.pull(
                group: "s-member", max: 10, wait: .seconds(20), visibility: .seconds(10))
            #expect(pulled.count == 1, "seq \(due) is due by the store's clock")
            #expect(pulled.allSatisfy { abs($0.visibleAgainAt - SystemTime.wall() - lead) < 60_000 })
            try await broker.until { $0.recovery.buried.count == 1 }
            #expect(try await letters(store) == [dead, expired], "only what is over by the store's clock")
            let outcome = await messaging.publish(
                [NewMessage(topic: "trade", messageType: "paid", body: .text("b"), timeToLive: 60)], group: "p-pay")
            #expect(outcome.map(\.verdict) == [.accepted])
            let fresh = try await messaging.pull(
                group: "s-member", max: 10, wait: .seconds(20), visibility: .seconds(10))
            #expect(fresh.count == 1)
            // However long it took to come here.
            let latest = SystemTime.wall() + lead + 61_000
            for message in fresh { #expect((now...latest).contains(message.message.expiresAt)) }
            #expect(broker.broker.status?.clockIncidents.count == (lead == 0 ? 0 : 1))
            #expect(abs(broker.broker.time - SystemTime.wall() - lead) < 60_000)
        }
    }

    @Test func whatIsDueFurtherAheadThanAnythingCanBeIsDue() async throws {
        let store = InMemoryMessageStore(shards: 1)
        let now = SystemTime.wall()
        var waiting = Waiting()
        waiting.add(expiresAt: now + 7 * Self.day, dueAt: now + 3_600_000, group: "s-member")
        // As far as it may be: it waits.
        waiting.add(expiresAt: now + 7 * Self.day, dueAt: now + 150_000, group: "s-member")
        try await put(waiting, into: store)
        let first = waiting.insertions[0].message.id
        try await BrokerFixture.serving(
            store: store, configure: { $0.recoveryInterval = .milliseconds(20) }
        ) { broker in
            let messaging = try broker.messaging()
            let pulled = try await messaging.pull(
                group: "s-member", max: 10, wait: .seconds(20), visibility: .seconds(30))
            #expect(pulled.map(\.message.id) == [first])
        }
    }

    @Test func aServersClockThatJumpsAheadDestroysNothing() async throws {
        let store = InMemoryMessageStore(shards: 1)
        let now = SystemTime.wall()
        var waiting = Waiting()
        waiting.add(expiresAt: now + 7 * Self.day)
        try await put(waiting, into: store)
        try await BrokerFixture.serving(
            store: store, configure: { $0.recoveryInterval = .milliseconds(20) }
        ) { broker in
            store.setClock(ahead: 31 * Self.day)
            try await broker.until { $0.shards.allSatisfy { $0.clock?.hasJumped == true } }
            // Something that is over by any clock goes after what is not: when it is gone, all was looked at.
            var later = Waiting()
            later.add(expiresAt: now + 7 * Self.day)
            later.add(expiresAt: now - 1)
            let other = store.session()
            _ = try await other.join(as: BrokerIdentity(name: "third", address: "127.0.0.1:2"))
            _ = try await other.insert(
                later.insertions.map { insertion in
                    var insertion = insertion
                    insertion.seq += 10
                    return insertion
                }, shard: 0)
            _ = try await other.settle(
                later.settlements.map { settlement in
                    var settlement = settlement
                    settlement.seq += 10
                    return settlement
                }, shard: 0)
            try await broker.until { $0.recovery.buried.count == 1 }
            #expect(try await letters(store) == [12])
            #expect(abs(broker.broker.time - SystemTime.wall()) < 60_000)
            store.setClock(ahead: 0)
            try await broker.until { $0.clockIncidents.isEmpty }
        }
    }
}
