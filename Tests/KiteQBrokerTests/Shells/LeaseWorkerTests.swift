import KiteQCore
import Logging
import Testing

@testable import KiteQBroker

/// Who keeps a lease, and who looks at all of them, by a clock that the test turns.
@Suite(.timeLimit(.minutes(1))) struct LeaseWorkerTests {
    private struct Fixture {
        let clock = TurnedClock()
        let store: ScriptedLeaseStore
        let leases: Leases
        let fence = Fence()
        let health: WriteHealth
        let counters = RecoveryCounters()
        let keeper: LeaseKeeper
        let watcher: LeaseWatcher

        init() {
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            store = ScriptedLeaseStore(clock)
            leases = Leases(shards: 1, duration: store.lease, clock: clock)
            health = WriteHealth(shards: 1, clock: clock)
            let clocks = ServerClocks(shards: 1, clock: clock, logger: logger)
            let dispatcher = Dispatcher(
                shards: 1, limits: DeliveryLimits(), topics: [], catalog: TopicCatalog(), settleRows: 100,
                recent: RecentMessages(limit: 100, clock: clock), routing: Routing(), clock: clock, logger: logger)
            let context = PublishContext(
                store: ScriptedPublishStore(), entry: StoreEntry(incarnation: 1), dispatcher: dispatcher,
                halfMessages: HalfMessageCache(limit: 1 << 20), leases: leases, clocks: clocks, fence: fence,
                health: health, topics: TopicPublishes([]), configuration: BrokerConfiguration(), clock: clock)
            keeper = LeaseKeeper(
                shard: 0, store: store, dispatcher: dispatcher, leases: leases, clocks: clocks, fence: fence,
                publishing: PublishPipeline(context, logger: logger), clock: clock, logger: logger)
            watcher = LeaseWatcher(
                shard: 0, store: store, leases: leases, fence: fence, health: health, interval: .seconds(1),
                counters: counters, clock: clock, logger: logger)
        }
    }

    /// Runs a worker meanwhile, and ends it.
    private func running(_ worker: any Worker, _ body: () async -> Void) async {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await worker.run() }
            await body()
            tasks.cancelAll()
        }
    }

    @Test func aLeaseIsRenewedThriceInItsTime() async {
        let fixture = Fixture()
        await running(fixture.keeper) {
            for _ in 0..<3 {
                await fixture.clock.untilSomebodySleeps()
                #expect(fixture.leases.isHeld(0))
                fixture.clock.turn(.seconds(3))
            }
            await fixture.clock.untilSomebodySleeps()
            #expect(fixture.store.counts.renewed == 4)
        }
    }

    /// It may be the last chance.
    @Test func afterAFailureItIsTriedMoreOften() async {
        let fixture = Fixture()
        fixture.store.renewing(
            .success(()), .failure(StoreError(.unavailable, "away")), .failure(StoreError(.unavailable, "away")),
            .success(()))
        await running(fixture.keeper) {
            await fixture.clock.untilSomebodySleeps()
            fixture.clock.turn(.seconds(3))
            for _ in 0..<2 {
                await fixture.clock.untilSomebodySleeps()
                #expect(fixture.leases.failure(0)?.contains("away") == true)
                fixture.clock.turn(.milliseconds(750))
            }
            await fixture.clock.untilSomebodySleeps()
            #expect(fixture.store.counts.renewed == 4 && fixture.leases.failure(0) == nil)
        }
    }

    @Test func aLeaseThatIsNotRenewedEndsByTheClock() async {
        let fixture = Fixture()
        _ = fixture.leases.renewed(0, sentAt: fixture.clock.monotonic())
        #expect(fixture.leases.isHeld(0))
        fixture.clock.turn(.seconds(9))
        #expect(!fixture.leases.isHeld(0))
    }

    @Test(arguments: [true, false]) func whoIsDeclaredDeadHearsItAndStops(byItsOwnRenewal: Bool) async {
        let fixture = Fixture()
        _ = fixture.leases.renewed(0, sentAt: fixture.clock.monotonic())
        let fenced = StoreError(.fenced, "another broker has declared this one dead")
        fixture.store.renewing(.failure(fenced))
        fixture.store.watching(.failure(fenced))
        // It returns by itself.
        if byItsOwnRenewal { await fixture.keeper.run() } else { await fixture.watcher.run() }
        #expect(fixture.fence.isRaised)
        #expect(fixture.leases.isHeld(0) == !byItsOwnRenewal)
    }

    @Test func takeoversAreCountedAndFailuresSayThatNothingCanBeStored() async {
        let fixture = Fixture()
        _ = fixture.leases.renewed(0, sentAt: fixture.clock.monotonic())
        fixture.store.watching(.success(["one", "two"]), .failure(StoreError(.unavailable, "away")))
        await running(fixture.watcher) {
            await fixture.clock.untilSomebodySleeps()
            #expect(fixture.counters.takeovers.count == 2 && fixture.health.failure(0) == nil)
            fixture.clock.turn(.seconds(1))
            await fixture.clock.untilSomebodySleeps()
            #expect(fixture.health.failure(0)?.contains("away") == true && !fixture.fence.isRaised)
        }
    }

    @Test func withoutALeaseOfItsOwnItLooksAtNobodys() async {
        let fixture = Fixture()
        await running(fixture.watcher) {
            await fixture.clock.untilSomebodySleeps()
            #expect(fixture.store.counts.watched == 0)
        }
    }
}
