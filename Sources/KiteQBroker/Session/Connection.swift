import KiteQCore
import KiteQWire
import NIOCore
import Synchronization

/// One client that has said who it is, as the rest of the broker knows it: where to send, and what may be asked of it.
///
/// Its methods may be called from any thread; what they send is written on the connection's event loop.
final class Connection: IdentifiedSink, QuestionedClient, PublishOrigin {
    let id: UInt64
    let group: String
    /// How it was let in.
    let admission: Admission
    /// The client's address, for the log.
    let peer: String
    /// What its CONN_META had, and what its deliveries carry.
    let version: Int16
    let extensionField: Int64
    /// What the client said of itself; nil for one that knows of no additions to the protocol.
    let capabilities: ClientCapabilities?
    /// Unix milliseconds: when it was let in.
    let since: Timestamp
    /// Publishes that came, counted once a read.
    let published = Counter()
    private let client = Atomic<UInt64>(.max)
    private let readingPaused = Atomic<Bool>(false)
    private let eventLoop: any EventLoop
    private let handler: NIOLoopBound<ConnectionHandler>
    private let publishedHalf = Atomic<Bool>(false)
    private let publishedCommitted = Atomic<Bool>(false)
    private let closed = Atomic<Bool>(false)
    private let nextQuestion = Atomic<Int32>(1)
    /// When the first question was sent that no answer has followed yet; 0: there is none.
    private let openQuestionSince = Atomic<MonotonicTime>(0)
    private let couldNotTell = Atomic<Bool>(false)
    private let outbox = Mutex(Outbox())
    private let outbound: OutboundAccount
    private let clock: any ProcessClock

    /// Deliveries on their way to the event loop.
    private struct Outbox {
        var deliveries: [DeliveryActions.Delivery] = []
        /// Of their messages, as the account has them.
        var bytes = 0
        var isFlushScheduled = false
    }

    init(
        id: UInt64, group: String, admission: Admission, peer: String, version: Int16, extensionField: Int64,
        capabilities: ClientCapabilities?, eventLoop: any EventLoop, handler: ConnectionHandler,
        outbound: OutboundAccount, clock: any ProcessClock
    ) {
        since = clock.wall()
        self.clock = clock
        self.id = id
        self.group = group
        self.admission = admission
        self.peer = peer
        self.version = version
        self.extensionField = extensionField
        self.capabilities = capabilities
        self.eventLoop = eventLoop
        self.outbound = outbound
        self.handler = NIOLoopBound(handler, eventLoop: eventLoop)
    }

    // MARK: What it is

    var questioned: (any QuestionedClient)? { self }

    var isOpen: Bool { !closed.load(ordering: .relaxed) }
    /// Whether deliveries may be sent to it: to every client that does not say otherwise.
    var consumes: Bool { capabilities?.contains(.doesNotConsume) != true }
    /// Whether it may send DELIVER_EXTEND: it was told so.
    var mayExtend: Bool { capabilities?.contains(.extend) == true }
    /// As the delivery machine knows it; nobody's before it does, and that of a client that does not consume.
    var clientID: DeliveryClientID { DeliveryClientID(rawValue: client.load(ordering: .relaxed)) }
    func set(_ id: DeliveryClientID) { client.store(id.rawValue, ordering: .relaxed) }

    /// It is not read for now.
    var isReadingPaused: Bool { readingPaused.load(ordering: .relaxed) }
    func setReadingPaused(_ isPaused: Bool) { readingPaused.store(isPaused, ordering: .relaxed) }

    func markClosed() { closed.store(true, ordering: .relaxed) }

    /// Returns whether it is the first publish of this connection.
    func markPublished(half: Bool) -> Bool {
        let wasHalf = publishedHalf.load(ordering: .relaxed)
        let wasCommitted = publishedCommitted.load(ordering: .relaxed)
        if half, !wasHalf { publishedHalf.store(true, ordering: .relaxed) }
        if !half, !wasCommitted { publishedCommitted.store(true, ordering: .relaxed) }
        return !wasHalf && !wasCommitted
    }

    /// How well it can be asked about a half message; nil where it must not be: the PHP client, which only publishes committed
    /// messages, takes the next packet for its store ack.
    var askPreference: Int? {
        if publishedHalf.load(ordering: .relaxed) { return 2 }
        return publishedCommitted.load(ordering: .relaxed) ? nil : 1
    }

    /// An answer to a question is late after this.
    private static let answerTime: MonotonicTime = 5_000_000_000

    /// It was asked about half messages, and has answered nothing since, for long, or could not tell.
    func isUnhelpful(now: MonotonicTime) -> Bool {
        if couldNotTell.load(ordering: .relaxed) { return true }
        let since = openQuestionSince.load(ordering: .relaxed)
        return since > 0 && now - since > Self.answerTime
    }

    /// It answered about a half message.
    func markAnswered(couldTell: Bool) {
        openQuestionSince.store(0, ordering: .relaxed)
        couldNotTell.store(!couldTell, ordering: .relaxed)
    }

    // MARK: Sending

    /// Takes deliveries, in the order of the calls; `flush` sends them. Does not wait.
    func enqueue(_ deliveries: ArraySlice<DeliveryActions.Delivery>) {
        let bytes = deliveries.reduce(0) { $0 + $1.message.footprint }
        outbound.add(bytes)
        outbox.withLock { outbox in
            outbox.deliveries += deliveries
            outbox.bytes += bytes
        }
    }

    /// Sends what was enqueued, all of it in one write.
    func flush() {
        if eventLoop.inEventLoop { return writeDeliveries(handler.value) }
        let isScheduled = outbox.withLock { outbox in
            defer { outbox.isFlushScheduled = true }
            return outbox.isFlushScheduled
        }
        if !isScheduled { eventLoop.execute { self.writeDeliveries(self.handler.value) } }
    }

    private func writeDeliveries(_ handler: ConnectionHandler) {
        let (deliveries, bytes) = outbox.withLock { outbox in
            defer { outbox = Outbox() }
            return (outbox.deliveries, outbox.bytes)
        }
        if !deliveries.isEmpty { handler.write(deliveries, bytes: bytes) }
    }

    func answer(_ results: [PublishResult]) {
        onEventLoop { $0.write(results) }
    }

    func ask(about message: Message) {
        _ = openQuestionSince.compareExchange(
            expected: 0, desired: clock.monotonic(), ordering: .relaxed)
        let opaque = nextQuestion.wrappingAdd(1, ordering: .relaxed).oldValue
        onEventLoop { $0.writeQuestion(header: message.header, opaque: opaque) }
    }

    /// Takes no more publishes.
    func drain() { onEventLoop { $0.drain() } }

    func close() { onEventLoop { $0.close() } }

    private func onEventLoop(_ body: @escaping @Sendable (ConnectionHandler) -> Void) {
        if eventLoop.inEventLoop {
            body(handler.value)
        } else {
            eventLoop.execute { body(self.handler.value) }
        }
    }
}
