import KiteQCore
import Logging
import NIOConcurrencyHelpers
import Testing

@testable import KiteQBroker

/// Who brings back what waits in the store: in pieces, in order, and all of it however often the store fails.
@Suite(.timeLimit(.minutes(1))) struct RecoveryWorkerTests {
    private struct Fixture {
        let clock = TurnedClock()
        let store = ScriptedRecoveryStore()
        let dispatcher: Dispatcher
        let counters = RecoveryCounters()
        let worker: RecoveryWorker
        let consumer = ListeningSink()

        init(_ adjust: (inout DeliveryLimits) -> Void = { _ in }) {
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            var limits = DeliveryLimits()
            adjust(&limits)
            var settings = TopicSettings()
            settings.answerTime = 1 << 60
            let clocks = ServerClocks(shards: 1, clock: clock, logger: logger)
            dispatcher = Dispatcher(
                shards: 1, limits: limits, topics: [], catalog: TopicCatalog(defaults: settings), settleRows: 100,
                recent: RecentMessages(limit: 100, clock: clock), routing: Routing(), clock: clock, logger: logger)
            worker = RecoveryWorker(
                shard: 0, store: store, dispatcher: dispatcher, clocks: clocks, longestWait: 160_000,
                counters: counters, logger: logger)
            let now = clock.monotonic()
            let serverClock = ServerClock(
                .init(server: clock.wall(), sentAt: now, receivedAt: now, wall: clock.wall()))
            clocks.set(serverClock, shard: 0)
            dispatcher.setClock(serverClock, shard: 0)
            dispatcher.setLease(shard: 0, until: .max)
        }

        func connect() {
            _ = dispatcher.connect(
                consumer, group: "s-member", warmUpSeconds: 0, window: 10_000, onConnect: { _ in })
        }
    }

    private func running(_ fixture: Fixture, _ body: () async -> Void) async {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await fixture.worker.run() }
            await body()
            fixture.dispatcher.finishScans()
            await tasks.waitForAll()
        }
    }

    @Test func aBacklogComesInItsOrderAFewMessagesAtATime() async {
        let fixture = Fixture()
        fixture.store.has(waiting: 1...300 as ClosedRange<Int64>)
        await running(fixture) {
            fixture.connect()
            await fixture.consumer.until(300)
        }
        #expect(fixture.consumer.seqs == Array(1...300))
        let chunks = fixture.store.takeChunks()
        #expect(chunks.allSatisfy { $0.count <= 64 } && chunks.flatMap(\.self) == Array(1...300))
        #expect(fixture.counters.failedPages.count == 0)
    }

    /// What was loaded before the failure is delivered; the rest is read again.
    @Test(arguments: [0, 1, 3]) func aLoadThatFailsLosesNothingAndBringsNothingTwice(after loads: Int) async {
        let fixture = Fixture()
        fixture.store.has(waiting: 1...300 as ClosedRange<Int64>)
        fixture.store.failing(after: loads)
        await running(fixture) {
            fixture.connect()
            await fixture.consumer.until(loads * 64)
            while fixture.store.failures == 0 { await Task.yield() }
            // It pauses after a failure; then the store is back.
            fixture.store.failing(after: nil)
            while fixture.consumer.count < 300 {
                fixture.clock.turn(.milliseconds(100))
                fixture.dispatcher.tick()
                await Task.yield()
            }
        }
        #expect(fixture.consumer.seqs == Array(1...300))
    }

    /// A page takes so many bytes, or one message.
    @Test func largeMessagesAreBroughtBackOneByOne() async {
        let fixture = Fixture {
            $0.pageBytes = 1 << 20
            $0.memoryBytes = 1 << 30
            $0.windowBytes = 64 << 20
        }
        fixture.store.bodies(of: 2 << 20)
        fixture.store.has(waiting: 1...3 as ClosedRange<Int64>)
        await running(fixture) {
            fixture.connect()
            await fixture.consumer.until(3)
        }
        #expect(fixture.store.takeChunks().map { $0[0] } == [1, 2, 3])
    }
}

/// Remembers what it is sent.
private final class ListeningSink: IdentifiedSink {
    private struct State {
        var seqs: [Int64] = []
        var waiting: (count: Int, continuation: CheckedContinuation<Void, Never>)?
    }

    private let state = NIOLockedValueBox(State())

    var count: Int { state.withLockedValue { $0.seqs.count } }
    /// Of the messages, ascending.
    var seqs: [Int64] { state.withLockedValue { $0.seqs.sorted() } }

    func set(_ id: DeliveryClientID) {}
    func flush() {}

    func enqueue(_ deliveries: ArraySlice<DeliveryActions.Delivery>) {
        let woken = state.withLockedValue { state -> CheckedContinuation<Void, Never>? in
            state.seqs += deliveries.map { ScriptedRecoveryStore.seq(of: $0.message) }
            guard let waiting = state.waiting, state.seqs.count >= waiting.count else { return nil }
            state.waiting = nil
            return waiting.continuation
        }
        woken?.resume()
    }

    /// Returns once it has so many.
    func until(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLockedValue { state in
                if state.seqs.count < count { state.waiting = (count, continuation) }
                return state.seqs.count >= count
            }
            if isThere { continuation.resume() }
        }
    }
}
