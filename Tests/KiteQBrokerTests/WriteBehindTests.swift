import KiteQCore
import KiteQStore
import KiteQWire
import Testing

@testable import KiteQBroker

/// What became of messages, when the store does not take all of it.
@Suite(.timeLimit(.minutes(3))) struct WriteBehindTests {
    @Test func aBatchIsSplitAsRarelyAsItsMessagesComeAgain() {
        func parts(_ seqs: Int64...) -> [[Int64]] {
            WriteBehind.parts(seqs.map { Settlement(seq: $0) }).map { $0.map(\.seq) }
        }
        #expect(parts() == [])
        #expect(parts(3, 1, 2) == [[3, 1, 2]])
        #expect(parts(1, 2, 1, 2, 3, 1, 4) == [[1, 2, 3, 4], [1, 2], [1]])
        // Each message's keep their order.
        let batch = [
            Settlement(seq: 1, pending: [.init(group: "a", attempts: 1, dueAt: 0)]), Settlement(seq: 2),
            Settlement(seq: 1, wasTracked: true, done: ["a"]),
        ]
        let own = WriteBehind.parts(batch).flatMap { $0 }.filter { $0.seq == 1 }
        #expect(own.map(\.wasTracked) == [false, true])
    }

    @Test func oneThatTheStoreDoesNotTakeHoldsUpNoOther() async throws {
        let store = FaultyStore(shards: 1)
        let log = CapturedLog()
        try await BrokerFixture.serving(store: store, logger: log.logger) { fixture in
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            #expect(try await producer.publish(.init(body: "large")).status)
            let large = try await consumer.delivery()
            let seq = try #require(
                try await store.freshBacklog(of: "s-member", shard: 0, after: 0, limit: 9, includingDead: false).first
            ).seq
            store.refuse([seq], StoreError(.failed, "it is too large for a transaction"))
            try await consumer.acknowledge(large)
            // Of the others all is written, batch by batch, while the one waits.
            for round in 0..<3 {
                for number in 0..<10 { #expect(try await producer.publish(.init(body: "\(round) \(number)")).status) }
                for _ in 0..<10 { try await consumer.acknowledge(try await consumer.delivery()) }
                try await fixture.until { $0.gauges.unflushed == 1 && $0.gauges.inFlight == 0 }
            }
            let left = try await store.freshBacklog(of: "s-member", shard: 0, after: 0, limit: 9, includingDead: false)
            #expect(left.map(\.seq) == [seq])
            #expect(log.lines.contains { $0.contains("the store does not take what became of 1 messages") })
            // It is tried again by itself.
            store.refuse([], nil)
            try await fixture.until { $0.gauges.unflushed == 0 }
            #expect(
                try await store.freshBacklog(of: "s-member", shard: 0, after: 0, limit: 9, includingDead: false).isEmpty
            )
        }
    }

    @Test func aBrokerThatStopsDoesNotWaitForOneThatIsNotTaken() async throws {
        let store = FaultyStore(shards: 1)
        try await BrokerFixture.serving(store: store) { fixture in
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            #expect(try await producer.publish(.init(body: "large")).status)
            let large = try await consumer.delivery()
            let backlog = try await store.freshBacklog(
                of: "s-member", shard: 0, after: 0, limit: 9, includingDead: false)
            store.refuse(Set(backlog.map(\.seq)), StoreError(.failed, "it is too large for a transaction"))
            try await consumer.acknowledge(large)
            try await fixture.until { $0.gauges.unflushed == 1 && $0.gauges.inFlight == 0 }
        }
    }

    /// The store found that something was put back: groups that believe to know all of theirs read again.
    @Test func whatWasPutBackIsDelivered() async throws {
        let store = FaultyStore(shards: 1)
        try await BrokerFixture.serving(store: store, configure: { $0.recoveryInterval = .milliseconds(20) }) {
            fixture in
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            try await fixture.until { $0.groups.contains { $0.isPresent && !$0.hasBacklog } }
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            #expect(try await producer.publish(.init(body: "back")).status)
            let first = try await consumer.delivery()
            let backlog = try await store.freshBacklog(
                of: "s-member", shard: 0, after: 0, limit: 9, includingDead: false)
            let row = try #require(
                try await store.load(backlog.map(\.seq), for: "s-member", shard: 0, maxBytes: .max).messages.first)
            try await consumer.acknowledge(first)
            try await fixture.until { $0.gauges.unflushed == 0 && $0.gauges.messages == 0 }
            // It is this broker's row again, and its memory does not have it.
            let again = Insertion(
                seq: row.seq, message: row.message, route: row.route, connectionGroup: "p-pay", firstCheckAt: 0)
            #expect(try await store.insert([again], shard: 0) == [.stored])
            store.found(MemoryCheck(mustReread: true))
            let delivered = try await consumer.delivery()
            #expect(delivered.body == "back")
            try await consumer.acknowledge(delivered)
            try await fixture.until { $0.gauges.unflushed == 0 && $0.gauges.messages == 0 }
        }
    }
}
