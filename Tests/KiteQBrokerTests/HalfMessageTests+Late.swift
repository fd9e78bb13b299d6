import KiteQCore
import KiteQStore
import KiteQWire
import Testing

@testable import KiteQBroker

/// Answers to half messages that were parked, and what the store does not take of them.
extension HalfMessageTests {
    private func parking(
        log: CapturedLog,
        _ body: @escaping @Sendable (BrokerFixture, InMemoryMessageStore, WireClient) async throws -> Void
    ) async throws {
        let store = InMemoryMessageStore()
        try await BrokerFixture.serving(
            store: store, logger: log.logger,
            configure: {
                $0.transactions = TransactionSchedule(firstAfter: 10, longest: 10, maxChecks: 1)
                $0.recoveryInterval = .milliseconds(10)
            }
        ) { fixture in
            try await body(fixture, store, try await WireClient.greeted("p-pay", at: fixture.address))
        }
    }

    @Test func aCommitThatComesAfterParkingIsDelivered() async throws {
        let log = CapturedLog()
        try await parking(log: log) { fixture, store, producer in
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let kept = WireClient.Publish(body: "kept", isCommitted: false)
            let gone = WireClient.Publish(body: "gone", isCommitted: false)
            #expect(try await producer.publish(kept).status)
            #expect(try await producer.publish(gone).status)
            try await fixture.until { $0.transactions.parked.count == 2 }
            try await producer.decide(gone, TransactionAck.Status.rollBack)
            try await producer.decide(kept, TransactionAck.Status.commit)
            let delivered = try await consumer.delivery()
            #expect(delivered.body == "kept")
            try await consumer.acknowledge(delivered)
            try await fixture.until {
                $0.transactions.late.count == 2 && $0.transactions.committed.count == 1
                    && $0.transactions.rolledBack.count == 1 && $0.gauges.messages == 0
            }
            #expect(try await store.deadLetters(DeadLetterFilter(), after: nil, limit: 10).letters.isEmpty)
            #expect(log.lines.contains { $0.contains(kept.id) && $0.contains("answered commit after all") })
            #expect(log.lines.contains { $0.contains(gone.id) && $0.contains("answered roll back after all") })
        }
    }

    @Test func anAnswerAgainstAPersonIsLoggedAsContrary() async throws {
        let log = CapturedLog()
        try await parking(log: log) { fixture, store, producer in
            let half = WireClient.Publish(isCommitted: false)
            #expect(try await producer.publish(half).status)
            try await fixture.until { $0.transactions.parked.count == 1 }
            let letters = try await store.deadLetters(DeadLetterFilter(), after: nil, limit: 10).letters
            #expect(try await store.deleteDeadLetters(letters.map(\.id)).count == 1)
            try await producer.decide(half, TransactionAck.Status.commit)
            try await fixture.until { $0.transactions.contrary.count == 1 }
            #expect(log.lines.contains { $0.contains(half.id) && $0.contains("was rolled back before") })
        }
    }

    // MARK: What the store does not take

    @Test func anAnswerThatTheStoreDoesNotTakeHoldsUpNoOther() async throws {
        let (log, store) = (CapturedLog(), FaultyStore(shards: 1))
        try await BrokerFixture.serving(store: store, logger: log.logger) { fixture in
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let bad = WireClient.Publish(body: "bad", isCommitted: false)
            let good = WireClient.Publish(body: "good", isCommitted: false)
            for half in [bad, good] { #expect(try await producer.publish(half).status) }
            store.stall([try #require(MessageID(bad.id))])
            try await producer.decide(bad, TransactionAck.Status.commit)
            while !log.lines.contains(where: { $0.contains(bad.id) && $0.contains("it is too large") }) {
                await Task.yield()
            }
            // What comes later to the same message waits behind it.
            store.stall([])
            try await producer.decide(bad, TransactionAck.Status.rollBack)
            try await producer.decide(good, TransactionAck.Status.commit)
            for body in ["good", "bad"] {
                let delivered = try await consumer.delivery()
                #expect(delivered.body == body)
                try await consumer.acknowledge(delivered)
            }
            try await fixture.until {
                $0.transactions.committed.count == 2 && $0.transactions.contrary.count == 1
                    && $0.transactions.rolledBack.count == 0 && $0.transactions.dropped.count == 0
            }
        }
    }

    @Test func aStopGivesUpWhatTheStoreDoesNotTake() async throws {
        let (log, store) = (CapturedLog(), FaultyStore(shards: 1))
        try await BrokerFixture.serving(store: store, logger: log.logger) { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let half = WireClient.Publish(isCommitted: false)
            #expect(try await producer.publish(half).status)
            store.stall([try #require(MessageID(half.id))])
            try await producer.decide(half, TransactionAck.Status.commit)
            while !log.lines.contains(where: { $0.contains(half.id) && $0.contains("it is too large") }) {
                await Task.yield()
            }
        }
        #expect(log.lines.contains { $0.contains("stopped with 1 commits and roll backs not written") })
    }

    @Test func othersCommitsOfOneShardDoNotWaitForAnother() async throws {
        let (log, shared) = (CapturedLog(), InMemoryMessageStore(shards: 2))
        let faulty = FaultyStore(over: shared.session())
        try await BrokerFixture.serving(
            Self.bindings, store: shared.session(), configure: { ($0.name, $0.topics) = ("first", ["trade"]) }
        ) { trade in
            try await BrokerFixture.serving(
                Self.bindings, store: faulty, logger: log.logger,
                configure: { ($0.name, $0.topics) = ("second", ["feed"]) }
            ) { feed in
                while try await shared.savedBindings(topics: ["trade"]) == nil { await Task.yield() }
                func half(shard: Int) throws -> WireClient.Publish {
                    while true {
                        let half = WireClient.Publish(isCommitted: false)
                        if shared.shardMap.shard(of: try #require(MessageID(half.id))) == shard { return half }
                    }
                }
                let producer = try await WireClient.greeted("p-pay", at: trade.address)
                let (stuck, free) = (try half(shard: 0), try half(shard: 1))
                for half in [stuck, free] { #expect(try await producer.publish(half).status) }
                // The first call finds that the topic is not known; those behind it meet a shard that is away.
                let calls = Counter()
                faulty.beforeDecisions { shard in
                    guard shard == 0 else { return }
                    calls.add(1)
                    if calls.count > 1 { throw StoreError(.unavailable, "shard 0 is away") }
                }
                let elsewhere = try await WireClient.greeted("p-pay", at: feed.address)
                try await elsewhere.decide(stuck, TransactionAck.Status.commit)
                while calls.count < 2 { await Task.yield() }
                try await elsewhere.decide(free, TransactionAck.Status.commit)
                try await feed.until { $0.transactions.committed.count == 1 }
                faulty.beforeDecisions { _ in }
                try await feed.until { $0.transactions.committed.count == 2 }
            }
        }
    }
}
