import Logging
import NIOCore
import Testing

@testable import KiteQBroker
@testable import KiteQCore

/// What the shell of the delivery machine does with what was decided.
@Suite(.timeLimit(.minutes(1))) struct DispatcherTests {
    /// Their messages alternate; each has all of its own, for a pull takes one batch.
    @Test(arguments: [1, 2, 3]) func eachPullGetsAllThatWasSentToIt(pulls: Int) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let dispatcher = Dispatcher(
            shards: 1, limits: DeliveryLimits(), topics: [], catalog: TopicCatalog(), settleRows: 100,
            recent: RecentMessages(limit: 100, clock: SystemClock()),
            routing: Routing(), clock: SystemClock(), logger: logger)
        dispatcher.setLease(shard: 0, until: .max)
        let waiters = (0..<pulls).map { _ in PullWaiter() }
        for (key, waiter) in waiters.enumerated() {
            _ = try dispatcher.pull(
                into: waiter, group: "s-member", max: 10, visibility: 30_000_000_000, key: UInt64(key)
            )
            .get()
        }
        while let scan = dispatcher.nextScan(shard: 0) {
            dispatcher.apply(scan, DeliveryScanResult(rows: [], isEnd: true), loaded: [], asked: [])
        }
        let route = Route([.init(group: "s-member", persistent: true)])
        let messages = (1...Int64(pulls * 4)).map { (seq: $0, message: Self.message, route: route) }
        dispatcher.accept(messages, shard: 0)
        var got = 0
        for waiter in waiters {
            guard case .delivered(let deliveries) = await waiter.outcome() else {
                Issue.record("a pull got nothing")
                continue
            }
            got += deliveries.count
        }
        #expect(got == messages.count)
        #expect(dispatcher.gauges.inFlight == messages.count)
    }

    /// A pull whose time is up in the middle of its batch has all of it: the rest would be in nobody's hands.
    @Test func aBatchIsNotCutByTheEndOfItsTime() async {
        let waiter = PullWaiter()
        func delivery(_ opaque: UInt32) -> DeliveryActions.Delivery {
            .init(client: DeliveryClientID(rawValue: 1), opaque: opaque, attempt: 1, message: Self.message)
        }
        waiter.enqueue([delivery(1), delivery(2)][...])
        waiter.end(.nothing)
        waiter.enqueue([delivery(3)][...])
        waiter.flush()
        waiter.enqueue([delivery(4)][...])
        waiter.flush()
        guard case .delivered(let deliveries) = await waiter.outcome() else {
            return #expect(Bool(false), "it got nothing")
        }
        #expect(deliveries.map(\.opaque) == [1, 2, 3])
        let other = PullWaiter()
        other.end(.cancelled)
        other.enqueue([delivery(1)][...])
        other.flush()
        guard case .cancelled = await other.outcome() else { return #expect(Bool(false), "it had ended") }
    }

    private static var message: Message {
        Message(
            id: .random(), kind: .string, topic: "trade", messageType: "paid", publisherGroup: "p-pay",
            expiresAt: .max, deliverLimit: 100, publishedAt: 0, header: ByteBuffer(string: "h"),
            body: ByteBuffer(string: "b"))
    }
}
