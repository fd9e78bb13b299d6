import KiteQCore
import Logging
import Testing

@testable import KiteQBroker

/// What a broker tells a shard, and hears of it, in each round, by a clock that the test turns.
@Suite(.timeLimit(.minutes(1))) struct SurveyorTests {
    private struct Fixture {
        let clock = TurnedClock()
        let store = ScriptedSurveyStore()
        let leases: Leases
        let clocks: ServerClocks
        let dispatcher: Dispatcher
        let counters = RecoveryCounters()
        let surveyor: Surveyor

        init() {
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            leases = Leases(shards: 1, duration: .seconds(60), clock: clock)
            clocks = ServerClocks(shards: 1, clock: clock, logger: logger)
            dispatcher = Dispatcher(
                shards: 1, limits: DeliveryLimits(), topics: [], catalog: TopicCatalog(), settleRows: 100,
                recent: RecentMessages(limit: 100, clock: clock), routing: Routing(), clock: clock, logger: logger)
            surveyor = Surveyor(
                shard: 0, store: store, dispatcher: dispatcher, pausedGroups: nil, leases: leases, clocks: clocks,
                longestWait: 160_000, interval: .seconds(1), counters: counters, clock: clock, logger: logger)
        }

        func renewLease() {
            let now = clock.monotonic()
            _ = leases.renewed(0, sentAt: now)
            dispatcher.setLease(shard: 0, until: .max)
            let serverClock = ServerClock(
                .init(server: clock.wall(), sentAt: now, receivedAt: now, wall: clock.wall()))
            clocks.set(serverClock, shard: 0)
            dispatcher.setClock(serverClock, shard: 0)
        }

        /// One more round, and what was asked in it.
        func round() async -> [ScriptedSurveyStore.Call] {
            await clock.untilSomebodySleeps()
            let calls = store.takeCalls()
            clock.turn(.seconds(1))
            return calls
        }
    }

    /// - Parameter prepare: before the first round.
    private func running(_ prepare: (Fixture) -> Void = { $0.renewLease() }, _ body: (Fixture) async -> Void) async {
        let fixture = Fixture()
        prepare(fixture)
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await fixture.surveyor.run() }
            await body(fixture)
            tasks.cancelAll()
        }
    }

    /// Which groups are here before what waits for them: a group that has just come would be passed over.
    @Test func eachRoundAsksInThisOrderAndNothingWithoutALease() async {
        await running({ _ in }) { fixture in
            #expect(await fixture.round() == [])
            fixture.renewLease()
            // It may have begun before that.
            _ = await fixture.round()
            #expect(await fixture.round() == [.memory, .presence, .release, .uncertain, .survey])
            let latest = fixture.clock.wall() + 160_000 + ServerClock.tolerance
            #expect(abs(fixture.store.latest - latest) <= 2_000)
        }
    }

    /// A row that somebody has locked, or a connection that does not end, must not hide what is due.
    @Test(arguments: [ScriptedSurveyStore.Call.memory, .presence, .release, .uncertain, .survey])
    func whatFailsKeepsNothingElseFromBeingAsked(call: ScriptedSurveyStore.Call) async {
        await running({
            $0.renewLease()
            $0.store.fail([call])
        }) { fixture in
            #expect(await fixture.round() == [.memory, .presence, .release, .uncertain, .survey])
            fixture.store.fail([])
            _ = await fixture.round()
            #expect(await fixture.round() == [.memory, .presence, .release, .uncertain, .survey])
        }
    }

    @Test func whatTheDeadHeldIsSetFreeToTheEnd() async {
        await running({
            $0.renewLease()
            $0.store.releasing(500, 500, 7)
        }) { fixture in
            #expect(await fixture.round().filter { $0 == .release }.count == 3)
            #expect(fixture.counters.released.count == 1_007)
        }
    }

    /// A group that came is told of; rows of its that are due are read.
    @Test func whatIsDueIsScannedFor() async {
        await running { fixture in
            let client = fixture.dispatcher.connect(
                SilentSink(), group: "s-member", warmUpSeconds: 0, window: nil, onConnect: { _ in })
            for _ in 0..<2 { _ = await fixture.round() }
            #expect(fixture.store.presences.last == ["s-member"])
            // Its backlog first, which is empty.
            while let scan = fixture.dispatcher.nextScan(shard: 0) {
                fixture.dispatcher.apply(scan, DeliveryScanResult(rows: [], isEnd: true), loaded: [], asked: [])
            }
            fixture.store.answering(ShardSurvey(due: ["s-member"]))
            for _ in 0..<2 { _ = await fixture.round() }
            let scan = fixture.dispatcher.nextScan(shard: 0)
            #expect(scan?.group == "s-member")
            guard case .due? = scan?.kind else {
                Issue.record("what is due is to be scanned for, not \(String(describing: scan))")
                return
            }
            fixture.dispatcher.disconnect(client)
        }
    }
}

/// Takes deliveries and does nothing with them.
private final class SilentSink: IdentifiedSink {
    func set(_ id: DeliveryClientID) {}
    func enqueue(_ deliveries: ArraySlice<DeliveryActions.Delivery>) {}
    func flush() {}
}
