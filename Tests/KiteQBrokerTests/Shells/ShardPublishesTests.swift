import KiteQCore
import Logging
import NIOCore
import Synchronization
import Testing

@testable import KiteQBroker

/// A shard's lane and its writers, before a store whose answers the test gives and by a clock that it turns.
@Suite(.timeLimit(.minutes(1))) struct ShardPublishesTests {
    private struct Fixture {
        let clock = TurnedClock()
        let store = ScriptedPublishStore()
        let context: PublishContext
        let publishes: ShardPublishes

        init() {
            var configuration = BrokerConfiguration()
            configuration.writersPerShard = 1
            configuration.publishWait = .seconds(2)
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let dispatcher = Dispatcher(
                shards: 1, limits: DeliveryLimits(), topics: [], catalog: TopicCatalog(), settleRows: 100,
                recent: RecentMessages(limit: 100, clock: clock), routing: Routing(), clock: clock, logger: logger)
            let clocks = ServerClocks(shards: 1, clock: clock, logger: logger)
            let now = clock.monotonic()
            clocks.set(
                ServerClock(.init(server: clock.wall(), sentAt: now, receivedAt: now, wall: clock.wall())), shard: 0)
            context = PublishContext(
                store: store, entry: StoreEntry(incarnation: 1), dispatcher: dispatcher,
                halfMessages: HalfMessageCache(limit: 1 << 20),
                leases: Leases(shards: 1, duration: .seconds(60), clock: clock), clocks: clocks, fence: Fence(),
                health: WriteHealth(shards: 1, clock: clock), topics: TopicPublishes([]),
                configuration: configuration, clock: clock)
            publishes = ShardPublishes(shard: 0, context, logger: logger)
        }

        func renewLease() { _ = context.leases.renewed(0, sentAt: clock.monotonic()) }

        /// One message is published now.
        func publish() -> PublishCall {
            let call = PublishCall(group: "p-pay", count: 1)
            let message = Message(
                id: .random(), kind: .string, topic: "trade", messageType: "paid", publisherGroup: "p-pay",
                expiresAt: .max, deliverLimit: 100, publishedAt: 0, header: ByteBuffer(string: "h"),
                body: ByteBuffer(string: "b"))
            publishes.submit([
                PendingPublish(
                    AcceptedPublish(
                        origin: call, opaque: 0, version: 0, extensionField: 0, message: message,
                        messageIDRange: 0..<1, route: Route([.init(group: "s-member", persistent: true)]),
                        arrivedAt: clock.monotonic()))
            ])
            return call
        }
    }

    /// Runs the writers meanwhile, and lets them end.
    private func running(_ body: (Fixture) async -> Void) async {
        let fixture = Fixture()
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await fixture.publishes.run() }
            await body(fixture)
            fixture.publishes.close()
            await tasks.waitForAll()
        }
        #expect(fixture.publishes.waiting.items == 0 && fixture.context.writing.withLock { $0.items } == 0)
    }

    private func outcome(_ call: PublishCall) async -> PublishOutcome {
        await call.outcomes().first ?? PublishOutcome(messageID: "", verdict: .refused, feedback: "no outcome")
    }

    @Test func whatIsStoredIsAcknowledgedAndDelivered() async {
        await running { fixture in
            fixture.renewLease()
            let call = fixture.publish()
            let stored = await fixture.store.call()
            #expect(stored.batch.count == 1 && stored.batch[0].seq > 0)
            stored.answer(.stored)
            let outcome = await outcome(call)
            #expect(outcome.verdict == .accepted && outcome.feedback == "stored")
            #expect(fixture.context.counters.stored.count == 1)
        }
    }

    /// The answer is due while the store has it: nobody knows. What the store says later is no second answer.
    @Test func aStoreThatHangsIsNotWaitedFor() async {
        await running { fixture in
            fixture.renewLease()
            let call = fixture.publish()
            let stored = await fixture.store.call()
            fixture.clock.turn(.milliseconds(1_999))
            fixture.publishes.tick()
            #expect(fixture.context.counters.failed.count == 0)
            fixture.clock.turn(.milliseconds(1))
            fixture.publishes.tick()
            let outcome = await outcome(call)
            #expect(outcome.verdict == .unknown)
            #expect(outcome.feedback.contains("the store has not answered within 2.0 seconds"))
            stored.answer(.stored)
        }
    }

    /// Its tries end somewhat before its answer is due, so that it is refused, and not in doubt.
    @Test func withoutALeaseItIsTriedUntilItsTimeIsUp() async {
        await running { fixture in
            let call = fixture.publish()
            for _ in 0..<37 {
                await fixture.clock.untilSomebodySleeps()
                fixture.clock.turn(.milliseconds(50))
            }
            let outcome = await outcome(call)
            #expect(outcome.verdict == .tryAgain)
            #expect(outcome.feedback.contains("this broker's lease of shard 0 is not renewed"))
        }
    }

    @Test func aTryThatMayHaveStoredItLeavesItInDoubt() async {
        await running { fixture in
            fixture.renewLease()
            let call = fixture.publish()
            await fixture.store.call().fail(StoreError(.unavailable, "its reply was lost", isOutcomeUnknown: true))
            await fixture.clock.untilSomebodySleeps()
            fixture.clock.turn(.milliseconds(1_900))
            let outcome = await outcome(call)
            #expect(outcome.verdict == .unknown)
        }
    }

    @Test func aTryThatIsRepeatedMayFindItStored() async {
        await running { fixture in
            fixture.renewLease()
            let call = fixture.publish()
            let first = await fixture.store.call()
            first.fail(StoreError(.unavailable, "its reply was lost", isOutcomeUnknown: true))
            await fixture.clock.untilSomebodySleeps()
            fixture.clock.turn(.milliseconds(50))
            let second = await fixture.store.call()
            #expect(second.batch.map(\.seq) == first.batch.map(\.seq), "the same row")
            second.answer(.stored)
            #expect(await outcome(call).verdict == .accepted)
        }
    }

    /// What somebody has locked waits apart, and holds up nobody.
    @Test func whatIsLockedIsTriedApart() async {
        await running { fixture in
            fixture.renewLease()
            let locked = fixture.publish()
            await fixture.store.call().answer(.notYet("its row is locked"))
            await fixture.clock.untilSomebodySleeps()
            let free = fixture.publish()
            await fixture.store.call().answer(.stored)
            #expect(await outcome(free).verdict == .accepted)
            fixture.clock.turn(.milliseconds(100))
            await fixture.store.call().answer(.stored)
            #expect(await outcome(locked).verdict == .accepted)
        }
    }

    @Test func whatAnotherHasUnderItsIDIsRefused() async {
        await running { fixture in
            fixture.renewLease()
            let call = fixture.publish()
            await fixture.store.call().answer(.refused("its id is used"))
            let outcome = await outcome(call)
            #expect(outcome.verdict == .refused && outcome.feedback == "its id is used")
        }
    }
}
