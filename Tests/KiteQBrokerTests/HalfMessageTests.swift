import KiteQCore
import KiteQStore
import KiteQWire
import Testing

@testable import KiteQBroker

/// Who decides and who is asked about half messages, where brokers of one store are not alike.
@Suite(.timeLimit(.minutes(3))) struct HalfMessageTests {
    static let bindings = [
        Binding(group: "s-member", topic: "trade", messageType: "paid"),
        Binding(group: "s-feed", topic: "feed", messageType: "paid"),
    ]

    /// Two brokers of one store, which serve different topics, look at what is due every 50 ms, and ask at once.
    func serving(
        _ topics: (Set<String>, Set<String>) = (["trade"], ["feed"]), log: CapturedLog = CapturedLog(),
        with further: [Binding] = [],
        configure: @escaping @Sendable (inout BrokerConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (BrokerFixture, BrokerFixture, InMemoryMessageStore) async throws -> Void
    ) async throws {
        let store = InMemoryMessageStore(shards: 1)
        let common: @Sendable (inout BrokerConfiguration) -> Void = {
            $0.recoveryInterval = .milliseconds(50)
            $0.absentPublisherRecheck = .milliseconds(50)
            $0.transactions = TransactionSchedule(firstAfter: 50, longest: 100, maxChecks: 1_000)
            configure(&$0)
        }
        try await BrokerFixture.serving(
            Self.bindings + further, store: store.session(), logger: log.logger,
            configure: {
                common(&$0)
                ($0.name, $0.topics) = ("first", topics.0)
            }
        ) { first in
            try await BrokerFixture.serving(
                Self.bindings + further, store: store.session(), logger: log.logger,
                configure: {
                    common(&$0)
                    ($0.name, $0.topics) = ("second", topics.1)
                }
            ) { second in
                while try await store.savedBindings(topics: Array(topics.0)) == nil { await Task.yield() }
                try await body(first, second, store)
            }
        }
    }

    func id(_ question: Packet) throws -> String {
        try MessageHeaderView(decoding: try TransactionAck(decoding: question.body).header).messageID
    }

    // MARK: Topics

    @Test func aCommitAtABrokerOfOtherTopicsFindsItsGroups() async throws {
        try await serving { trade, feed, _ in
            let consumer = try await WireClient.greeted("s-member", at: trade.address)
            let producer = try await WireClient.greeted("p-pay", at: trade.address)
            let half = WireClient.Publish(body: "half", isCommitted: false)
            #expect(try await producer.publish(half).status)
            try await producer.close()
            let elsewhere = try await WireClient.greeted("p-pay", at: feed.address)
            // It asks about what it serves, and not about what it does not.
            let own = WireClient.Publish(topic: "feed", isCommitted: false)
            #expect(try await elsewhere.publish(own).status)
            for _ in 0..<5 { #expect(try id(await elsewhere.next(.txAck)) == own.id) }
            try await elsewhere.decide(half, TransactionAck.Status.commit)
            let delivered = try await consumer.delivery()
            #expect(delivered.body == "half")
            try await consumer.acknowledge(delivered)
            try await feed.until { $0.transactions.committed.count == 1 && $0.transactions.forNobody.count == 0 }
        }
    }

    @Test func whatNobodyHereCanDecideIsLeftToThoseWhoKnow() async throws {
        let log = CapturedLog()
        try await serving(log: log) { trade, feed, store in
            // Brokers of the topic that have saved nothing of it, or not this.
            try await store.saveBindings([], topics: ["trade"])
            let consumer = try await WireClient.greeted("s-member", at: trade.address)
            let producer = try await WireClient.greeted("p-pay", at: trade.address)
            let half = WireClient.Publish(body: "half", isCommitted: false)
            #expect(try await producer.publish(half).status)
            try await producer.close()
            let elsewhere = try await WireClient.greeted("p-pay", at: feed.address)
            try await elsewhere.decide(half, TransactionAck.Status.commit)
            try await feed.until { $0.transactions.left.count == 1 }
            #expect(log.lines.contains { $0.contains("whose bindings this broker does not know") })
            // Others' answers are not held up by it.
            let own = WireClient.Publish(topic: "feed", isCommitted: false)
            #expect(try await elsewhere.publish(own).status)
            try await elsewhere.decide(own, TransactionAck.Status.rollBack)
            try await feed.until { $0.transactions.rolledBack.count == 1 }
            // It is asked about where the topic is served, once its group is there.
            let again = try await WireClient.greeted("p-pay", at: trade.address)
            #expect(try id(await again.next(.txAck)) == half.id)
            try await again.decide(half, TransactionAck.Status.commit)
            #expect(try await consumer.delivery().body == "half")
        }
    }

    /// However many types they have: what takes no time is not put off.
    @Test func manyTypesOfATopicThatOthersServeAreDecidedAtOnce() async throws {
        let all = Binding(group: "s-member", topic: "trade", messageType: "^type-", kind: .regx)
        try await serving(with: [all]) { trade, feed, _ in
            let producer = try await WireClient.greeted("p-pay", at: trade.address)
            let halves = (0..<40).map { WireClient.Publish(type: "type-\($0)", isCommitted: false) }
            for half in halves { #expect(try await producer.publish(half).status) }
            try await producer.close()
            let elsewhere = try await WireClient.greeted("p-pay", at: feed.address)
            for half in halves { try await elsewhere.decide(half, TransactionAck.Status.commit) }
            try await feed.until { $0.transactions.committed.count == 40 }
            #expect(feed.broker.status?.transactions.left.count == 0)
        }
    }

    /// Here, and where the topic's own brokers have saved what they know of it.
    @Test(arguments: ["trade", "feed"]) func aCommitWhoseExpressionsTakeLongIsDecided(second: String) async throws {
        let dear = (0..<2).map {
            Binding(group: "greedy", topic: "trade", messageType: "(.?){990}Z\($0)", kind: .regx)
        }
        let all = Binding(group: "s-member", topic: "trade", messageType: "x$", kind: .regx)
        try await serving((["trade"], [second]), with: dear + [all]) { first, second, _ in
            let consumer = try await WireClient.greeted("s-member", at: first.address)
            let producer = try await WireClient.greeted("p-pay", at: first.address)
            let half = WireClient.Publish(
                type: String(repeating: "x", count: 255), body: "half", isCommitted: false)
            #expect(try await producer.publish(half).status)
            try await producer.close()
            let elsewhere = try await WireClient.greeted("p-pay", at: second.address)
            try await elsewhere.decide(half, TransactionAck.Status.commit)
            #expect(try await consumer.delivery().body == "half")
            try await second.until { $0.transactions.committed.count == 1 && $0.transactions.left.count == 0 }
        }
    }

    /// The store tells a broker of clients that consume, and of no others.
    @Test func whoOnlyPublishesIsAskedThoughItIsAtOneBrokerAlone() async throws {
        try await serving(
            (["trade"], ["trade"]),
            configure: {
                $0.absentPublisherRecheck = .seconds(600)
                $0.transactions = TransactionSchedule(firstAfter: 1, longest: 600_000, maxChecks: 1_000)
            }
        ) { _, second, _ in
            let producer = try await WireClient.connect(to: second.address)
            _ = try await producer.greetRaw(
                ConnMeta(groupID: "p-pay", secretKey: "", capabilities: [.doesNotConsume], window: 0))
            // Each is due at once, just after its broker has looked: so the other one is the first to see it.
            for _ in 0..<20 {
                let half = WireClient.Publish(isCommitted: false)
                #expect(try await producer.publish(half).status)
                while try id(await producer.next(.txAck)) != half.id {}
            }
        }
    }

    @Test func aTopicThatNobodyServesWaitsAndIsParkedWhenItExpires() async throws {
        let store = InMemoryMessageStore(shards: 1)
        let half = WireClient.Publish(isCommitted: false)
        try await BrokerFixture.serving(Self.bindings, store: store.session()) { trade in
            let producer = try await WireClient.greeted("p-pay", at: trade.address)
            #expect(try await producer.publish(half).status)
        }
        try await BrokerFixture.serving(
            Self.bindings, store: store.session(),
            configure: {
                $0.topics = ["feed"]
                $0.recoveryInterval = .milliseconds(10)
                $0.transactions = TransactionSchedule(firstAfter: 10, longest: 20, maxChecks: 3)
            }
        ) { feed in
            let id = try #require(MessageID(half.id))
            let open = try #require(try await store.openTransactions(after: nil, limit: 10).transactions.first)
            func make(due: Timestamp, from: Timestamp) async throws {
                let check = TransactionCheck(seq: open.seq, previousCheckAt: from, action: .next(at: due, checks: 0))
                #expect(try await store.reschedule([check], shard: 0) == [open.seq])
            }
            try await make(due: 1, from: open.nextCheckAt)
            let producer = try await WireClient.greeted("p-pay", at: feed.address)
            let own = WireClient.Publish(topic: "feed", isCommitted: false)
            #expect(try await producer.publish(own).status)
            // It is asked about and parked; the other is neither, though it was due long before.
            try await feed.until { $0.transactions.parked.count == 1 }
            for _ in 0..<3 { #expect(try self.id(await producer.next(.txAck)) == own.id) }
            let story = try #require(try await store.story(of: id))
            #expect(story.transaction?.outcome == .undecided && story.transaction?.checks == 0)
            #expect(story.transaction?.at == 1, "it is not put off for those who serve it")
        }
    }

    @Test func aCommitForNobodyIsLogged() async throws {
        let log = CapturedLog()
        try await BrokerFixture.serving(logger: log.logger) { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let half = WireClient.Publish(type: "unbound", isCommitted: false)
            #expect(try await producer.publish(half).status)
            try await producer.decide(half, TransactionAck.Status.commit)
            try await fixture.until { $0.transactions.forNobody.count == 1 }
            #expect(log.lines.contains { $0.contains(half.id) && $0.contains("no group is bound to trade/unbound") })
            #expect(fixture.broker.status?.topics.first?.committed == 1)
        }
    }

    // MARK: Questions

    @Test func theNextQuestionGoesToTheNextConnection() async throws {
        try await BrokerFixture.serving(configure: {
            $0.recoveryInterval = .milliseconds(10)
            $0.transactions = TransactionSchedule(firstAfter: 20, longest: 20, maxChecks: 4)
        }) { fixture in
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let silent = try await WireClient.greeted("p-pay", at: fixture.address)
            // It publishes committed messages alone, and must not be asked.
            let php = try await WireClient.greeted("p-pay", at: fixture.address)
            #expect(try await php.publish(.init(type: "unbound")).status)
            let half = WireClient.Publish(body: "half", isCommitted: false)
            let live = try await WireClient.greeted("p-pay", at: fixture.address)
            #expect(try await silent.publish(half).status)
            #expect(try id(await silent.next(.txAck)) == half.id)
            #expect(try id(await live.next(.txAck)) == half.id)
            try await live.decide(half, TransactionAck.Status.commit)
            #expect(try await consumer.delivery().body == "half")
        }
    }

    @Test func bothGroupsAreAsked() async throws {
        try await BrokerFixture.serving(configure: {
            $0.recoveryInterval = .milliseconds(10)
            $0.transactions = TransactionSchedule(firstAfter: 20, longest: 20, maxChecks: 4)
        }) { fixture in
            let silent = try await WireClient.greeted("p-connection", at: fixture.address)
            let ofHeader = try await WireClient.greeted("p-pay", at: fixture.address)
            let ofConnection = try await WireClient.greeted("p-connection", at: fixture.address)
            let half = WireClient.Publish(group: "p-pay", isCommitted: false)
            #expect(try await silent.publish(half).status)
            for client in [silent, ofHeader, ofConnection] { #expect(try id(await client.next(.txAck)) == half.id) }
        }
    }

    @Test func brokersTakeTurns() async throws {
        try await serving((["trade"], ["trade"])) { first, second, _ in
            let consumer = try await WireClient.greeted("s-member", at: first.address)
            let live = try await WireClient.greeted("p-pay", at: second.address)
            let silent = try await WireClient.greeted("p-pay", at: first.address)
            let half = WireClient.Publish(body: "half", isCommitted: false)
            #expect(try await silent.publish(half).status)
            #expect(try id(await silent.next(.txAck)) == half.id)
            #expect(try id(await live.next(.txAck)) == half.id)
            try await live.decide(half, TransactionAck.Status.commit)
            #expect(try await consumer.delivery().body == "half")
        }
    }

    @Test func twoBrokersOfWhomNobodyCanBeAskedDoNotWaitForEachOther() async throws {
        try await serving((["trade"], ["trade"])) { first, second, store in
            let producer = try await WireClient.greeted("p-pay", at: first.address)
            let half = WireClient.Publish(isCommitted: false)
            #expect(try await producer.publish(half).status)
            for broker in [first, second] {
                let php = try await WireClient.greeted("p-pay", at: broker.address)
                #expect(try await php.publish(.init(type: "unbound")).status)
            }
            try await producer.close()
            let open = try #require(try await store.openTransactions(after: nil, limit: 10).transactions.first)
            // As if it had been due for an hour.
            while try await store.reschedule(
                [
                    TransactionCheck(
                        seq: open.seq,
                        previousCheckAt: store.openTransactions(after: nil, limit: 10).transactions[0].nextCheckAt,
                        action: .next(at: 1, checks: 0))
                ], shard: 0
            ).isEmpty {}
            while try await store.openTransactions(after: nil, limit: 10).transactions[0].nextCheckAt == 1 {
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }
}
