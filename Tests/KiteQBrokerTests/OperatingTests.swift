import KiteQCore
import KiteQStore
import KiteQWire
import NIOConcurrencyHelpers
import Testing

@testable import KiteQBroker

/// What operators see, and what they do.
@Suite(.timeLimit(.minutes(3))) struct OperatingTests {
    // MARK: Pausing

    @Test func aPausedGroupGetsNothingAndThenAllInOrder() async throws {
        // Within a shard there is an order.
        let store = FaultyStore(shards: 1)
        try await BrokerFixture.serving(
            [
                Binding(group: "s-member", topic: "trade", messageType: "paid"),
                Binding(group: "s-other", topic: "trade", messageType: "paid"),
            ], store: store
        ) { fixture in
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let other = try await WireClient.greeted("s-other", at: fixture.address)
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            store.pause(["s-member"])
            try await fixture.broker.refreshPausedGroups()
            for number in 0..<20 { #expect(try await producer.publish(.init(body: "\(number)")).status) }
            for _ in 0..<20 { try await other.acknowledge(try await other.delivery()) }
            try await fixture.until { $0.gauges.messages == 0 && $0.gauges.unflushed == 0 }
            let group = try #require(fixture.broker.status?.groups.first { $0.name == "s-member" })
            #expect(group.isPaused && group.isPresent && group.hasBacklog && group.counters.delivered == 0)
            store.pause([])
            // Nobody tells it: the first shard does, at its next look.
            var bodies: [String] = []
            for _ in 0..<20 {
                let delivered = try await consumer.delivery()
                bodies.append(delivered.body)
                try await consumer.acknowledge(delivered)
            }
            #expect(bodies == (0..<20).map { "\($0)" })
            try await fixture.until { $0.gauges.messages == 0 && $0.groups.allSatisfy { !$0.isPaused } }
        }
    }

    @Test func aBrokerThatStartsKnowsWhoIsPaused() async throws {
        let store = FaultyStore()
        store.pause(["s-member"])
        try await BrokerFixture.serving(store: store, configure: { $0.recoveryInterval = .seconds(600) }) { fixture in
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            #expect(try await producer.publish(.init(body: "waits")).status)
            #expect(fixture.broker.status?.delivery.delivered == 0)
            store.pause([])
            try await fixture.broker.refreshPausedGroups()
            #expect(try await consumer.delivery().body == "waits")
        }
    }

    // MARK: Draining

    @Test func aBrokerThatIsDrainedEndsInOrder() async throws {
        let phases = NIOLockedValueBox<Set<BrokerPhase>>([])
        let store = InMemoryMessageStore()
        // Returns without an error once the broker has ended by itself.
        try await BrokerFixture.serving(store: store, configure: { $0.drainTimeout = .seconds(30) }) { fixture in
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            #expect(try await producer.publish(.init(body: "in flight")).status)
            let delivered = try await consumer.delivery()
            #expect(fixture.broker.status?.phase == .serving)
            fixture.broker.drain()
            fixture.broker.drain()
            try await fixture.until { status in
                phases.withLockedValue { _ = $0.insert(status.phase) }
                return status.phase == .finishingDeliveries
            }
            let status = try #require(fixture.broker.status)
            #expect(status.gauges.inFlight == 1 && status.connections == 2)
            try await consumer.acknowledge(delivered)
            try await consumer.closed()
        }
        #expect(store.isEmpty)
    }

    // MARK: Looking

    @Test func statusTellsOfGroupsTopicsAndShards() async throws {
        try await BrokerFixture.serving { fixture in
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            for _ in 0..<3 { #expect(try await producer.publish(.init()).status) }
            #expect(try await producer.publish(.init(isCommitted: false)).status)
            #expect(try await producer.publish(.init(deliverLimit: 1)).status)
            for _ in 0..<2 { try await consumer.acknowledge(try await consumer.delivery()) }
            try await fixture.until { $0.delivery.acknowledged == 2 && $0.delivery.delivered == 4 }
            let status = try #require(fixture.broker.status)
            let group = try #require(status.groups.first { $0.name == "s-member" })
            #expect(group.clients == 1 && group.inFlight == 2 && group.isBound && group.isPresent)
            #expect(group.counters.delivered == 4 && group.counters.acknowledged == 2)
            #expect(try #require(group.oldestInFlight) >= 0)
            let topic = try #require(status.topics.first { $0.name == "trade" })
            #expect(topic.published == 5 && topic.delivered == 4 && topic.acknowledged == 2 && topic.committed == 0)
            #expect(status.shards.allSatisfy { $0.leaseRemaining ?? 0 > 0 })
            #expect(status.halfMessages.items == 1 && status.incarnation > 0)
        }
    }

    @Test func connectionsAreListedByPages() async throws {
        try await BrokerFixture.serving { fixture in
            var clients: [WireClient] = []
            for group in ["s-member", "p-pay", "p-pay"] {
                clients.append(try await WireClient.greeted(group, at: fixture.address))
            }
            #expect(try await clients[1].publish(.init()).status)
            _ = try await clients[0].delivery()
            let first = try #require(fixture.broker.connections(limit: 2))
            #expect(first.connections.map(\.group) == ["s-member", "p-pay"] && first.next != nil)
            #expect(first.connections.map(\.published) == [0, 1] && first.connections.map(\.inFlight) == [1, 0])
            #expect(first.connections.allSatisfy { $0.peer.hasPrefix("127.0.0.1:") && !$0.isReadingPaused })
            let last = try #require(fixture.broker.connections(after: first.next ?? 0, limit: 2))
            #expect(last.connections.count == 1 && last.next == nil)
            #expect(fixture.broker.connections(of: [BindingName("p-pay")], limit: 9)?.connections.count == 2)
            #expect(fixture.broker.connections(of: [BindingName("nobody")], limit: 9)?.connections.isEmpty == true)
        }
    }

    @Test func ratesCountTopicsAndGroups() async throws {
        try await BrokerFixture.serving { fixture in
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            #expect(try await producer.publish(.init()).status)
            try await consumer.acknowledge(try await consumer.delivery())
            try await fixture.until { _ in (fixture.broker.rates?.total.tenSeconds.acknowledged ?? 0) > 0 }
            let rates = try #require(fixture.broker.rates)
            #expect(rates.topics[BindingName("trade")]?.minute.published ?? 0 > 0)
            #expect(rates.groups[BindingName("s-member")]?.minute.delivered ?? 0 > 0)
        }
    }
}
