import KiteQCore
import KiteQRegistry
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import KiteQBroker
@testable import KiteQStore

/// What a broker is with a part of its shards, and without its name or its address.
@Suite(.timeLimit(.minutes(3))) struct LifeTests {
    private static let name = BrokerIdentity(name: "test", address: "10.0.0.1:13800")

    /// A message for each shard, published at once.
    private func publish(
        _ fixture: BrokerFixture, _ store: some MessageStore
    ) async throws -> [(shard: Int, outcome: PublishOutcome)] {
        var ids: [Int: MessageID] = [:]
        while ids.count < store.shardMap.shardCount {
            let id = MessageID.random()
            ids[store.shardMap.shard(of: id)] = id
        }
        let shards = ids.keys.sorted()
        let outcomes = try await fixture.messaging().publish(
            shards.map {
                NewMessage(id: ids[$0]?.description, topic: "trade", messageType: "paid", body: .text("\($0)"))
            }, group: "p-pay")
        return Array(zip(shards, outcomes))
    }

    private func until(_ fixture: BrokerFixture, _ state: Readiness.State) async throws {
        let deadline = ContinuousClock.now + .seconds(50)
        while fixture.broker.readiness.state != state {
            guard ContinuousClock.now < deadline else { throw BrokerFixture.NeverHappened() }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Publishes that wait in vain would have the test end by its limit.
    private static func patient(_ configuration: inout BrokerConfiguration) {
        configuration.publishWait = .seconds(600)
        configuration.recoveryInterval = .milliseconds(50)
    }

    @Test(arguments: [0, 1]) func itStartsWithTheShardsThatAreThere(away: Int) async throws {
        let store = ShardStore(shards: 2, away: [away])
        let floor = SequenceGenerator.smallest(at: SystemTime.wall() + 3_600_000)
        store.setFloor(floor)
        try await BrokerFixture.serving(store: store, configure: Self.patient) { fixture in
            #expect(fixture.broker.readiness.state == .degraded)
            #expect(fixture.broker.readiness.sentence == "shard \(away) is away: no database connection")
            for (shard, outcome) in try await publish(fixture, store) {
                #expect(outcome.verdict == (shard == away ? .tryAgain : .accepted), "\(shard): \(outcome)")
                if shard == away {
                    #expect(outcome.feedback.contains("shard \(away): no database connection"), "\(outcome.feedback)")
                }
            }
            store.setAway([])
            try await until(fixture, .ready)
            for (shard, outcome) in try await publish(fixture, store) {
                #expect(outcome.verdict == .accepted, "\(shard): \(outcome)")
            }
            let newest = store.base.data.withShard(away) { $0.messages.keys.max() ?? 0 }
            #expect(newest > floor, "its seqs are above those of the shard that came")
            // With the first shard its bindings are saved, which it could not do before.
            var saved: [Binding]?
            while saved == nil {
                saved = try await store.base.savedBindings(topics: ["trade"])
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(saved?.map(\.group) == ["s-member"])
        }
    }

    @Test func aShardThatFailsLaterIsLikeOneThatWasNeverThere() async throws {
        let store = ShardStore(shards: 2, away: [])
        try await BrokerFixture.serving(store: store, configure: Self.patient) { fixture in
            #expect(fixture.broker.readiness.state == .ready)
            store.setAway([1])
            try await until(fixture, .degraded)
            try await fixture.until { $0.shards[1].leaseRemaining == nil }
            for (shard, outcome) in try await publish(fixture, store) where shard == 1 {
                #expect(outcome.verdict == .tryAgain && outcome.feedback.contains("shard 1"))
            }
            store.setAway([0, 1])
            try await until(fixture, .notReady)
            store.setAway([])
            try await until(fixture, .ready)
            #expect(try await publish(fixture, store).allSatisfy { $0.outcome.verdict == .accepted })
        }
    }

    /// Who is not ready gets no publishes, so it must find out by itself that it is again.
    @Test func whatTheLastWriteSaidHoldsUntilOneSucceeds() async throws {
        let store = ShardStore(shards: 1, away: [])
        try await BrokerFixture.serving(
            store: store,
            configure: {
                $0.recoveryInterval = .milliseconds(50); $0.publishWait = .milliseconds(100)
            }
        ) { fixture in
            store.setUnwritable([0: StoreError(.refusesWrites, "shard 0: The table 'kite_message' is full")])
            #expect(try await publish(fixture, store).map(\.outcome.verdict) == [.tryAgain])
            #expect(
                fixture.broker.readiness.sentence
                    == "no shard of the store can be used: shard 0 takes no messages: The table 'kite_message' is full")
            store.setUnwritable([:])
            try await until(fixture, .ready)
        }
    }

    // MARK: Names and addresses

    @Test func aNameThatIsTakenIsRefused() async throws {
        let store = InMemoryMessageStore()
        _ = try await store.session().join(as: Self.name)
        let error = await #expect(throws: StoreError.self) {
            try await BrokerFixture.serving(store: store) { _ in Issue.record("it serves") }
        }
        #expect(error?.code == .nameTaken)
        try await BrokerFixture.serving(store: store, configure: { $0.takesOver = true }) { fixture in
            #expect(fixture.broker.readiness.state == .ready)
        }
    }

    /// Two processes of one name that take it from one another would do nothing else.
    @Test func aLifeThatItsOwnNameEndedIsTheLast() async throws {
        let store = InMemoryMessageStore()
        let other = store.session()
        let error = await #expect(throws: BrokerError.self) {
            try await BrokerFixture.serving(store: store, configure: { $0.takesOver = true }) { fixture in
                _ = try await other.join(as: Self.name)
                // Until it has ended: then it has no status.
                try await fixture.until { _ in false }
            }
        }
        #expect(error?.description.contains("for another process of its name") == true, "\(String(describing: error))")
        _ = try await other.renewLease(shard: 0)
    }

    @Test func whoCannotListenDoesNotJoin() async throws {
        let store = InMemoryMessageStore()
        try await BrokerFixture.serving(store: store) { first in
            let error = await #expect(throws: BrokerError.self) {
                try await BrokerFixture.serving(
                    store: store.session(),
                    configure: {
                        $0.bindPort = first.address.port
                        $0.takesOver = true
                    }
                ) { _ in Issue.record("it serves") }
            }
            #expect(error?.description.hasPrefix("cannot listen on 127.0.0.1:\(first.address.port)") == true)
            _ = try await store.renewLease(shard: 0)
            #expect(await store.brokers().brokers.count == 1)
        }
    }

    /// A client is not kept waiting by a broker that does not serve yet.
    @Test func beforeItServesAConnectionIsClosed() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let listener = Listener(eventLoops: group, logger: Logger(label: "test"))
        let port = try await listener.bind(host: "127.0.0.1", port: 0)
        let channel = try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: port).get()
        try await channel.closeFuture.get()
        try await listener.close()
    }

    // MARK: Bindings

    /// What was saved is all that some groups have: it is neither written over nor passed over before it was read.
    @Test func whatWasSavedOutlivesAStartWithoutTheFirstShard() async throws {
        let store = ShardStore(shards: 2, away: [0])
        let groups = ["old", "s-member"].map { Binding(group: $0, topic: "trade", messageType: "paid") }
        try await store.base.saveBindings(groups, topics: ["trade"])
        let registry = RecallingRegistry([groups[1]])
        try await BrokerFixture.serving(store: store, registry: registry, configure: Self.patient) { fixture in
            #expect(fixture.broker.bindings.map(\.group) == ["s-member"])
            #expect(registry.recalled == [nil])
            store.setAway([])
            let deadline = ContinuousClock.now + .seconds(50)
            while fixture.broker.bindings.count < 2 {
                guard ContinuousClock.now < deadline else { throw BrokerFixture.NeverHappened() }
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(registry.recalled == [nil, groups])
            #expect(
                Set(try await store.base.savedBindings(topics: ["trade"])?.map(\.group) ?? []) == ["old", "s-member"])
        }
    }

    // MARK: Before it serves

    @Test func whoWaitsForBindingsKeepsItsLease() async throws {
        let store = ShardStore(shards: 1, away: [])
        let other = store.base.session()
        let registry = RecallingRegistry(nil)
        let error = await #expect(throws: BrokerError.self) {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    try await BrokerFixture.serving(store: store, registry: registry) { _ in
                        Issue.record("it serves without bindings")
                    }
                }
                while store.renewals < 2 { try await Task.sleep(for: .milliseconds(5)) }
                // And it learns at once that it is dead.
                _ = try await other.join(as: Self.name)
                try await tasks.waitForAll()
            }
        }
        #expect(error?.description.contains("for another process of its name") == true, "\(String(describing: error))")
    }

    /// Between the join and the first renewal there is time to be declared dead.
    @Test func whoIsDeadBeforeItServesDoesNotServe() async throws {
        let store = ShardStore(shards: 1, away: [])
        let other = store.base.session()
        store.afterJoin { _ = try await other.join(as: Self.name) }
        let error = await #expect(throws: BrokerError.self) {
            try await BrokerFixture.serving(store: store) { _ in Issue.record("it serves") }
        }
        #expect(error?.description.contains("for another process of its name") == true, "\(String(describing: error))")
    }
}
