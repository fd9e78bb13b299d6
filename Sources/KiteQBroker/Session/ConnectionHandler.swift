import KiteQCore
import KiteQWire
import Logging
import NIOCore
import NIOSSL
import NIOTLS

/// One connection: its packets in, its packets out, and the session between them. Lives on its event loop.
///
/// All packets of one read are handled together: publishes join the pipeline as one batch, DELIVER_ACKs reach the dispatcher
/// as one, and what is answered at once leaves in one write. `ConnectionHandler+Packets` says what each packet means,
/// `ConnectionHandler+Writing` what is sent.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum State {
        /// Nothing but CONN_META is accepted.
        case greeting
        /// Whether it is let in is being found out.
        case judging
        /// Without an id the client does not consume: it said so.
        case open(Connection, DeliveryClientID?)
        case closed
    }

    let services: SessionServices
    let logger: Logger
    let peer: Peer
    let place: Admissions.Place
    var state = State.greeting
    /// Whether a TLS handshake is done.
    private(set) var isEncrypted = false
    /// What came between the greeting and its answer, or while a route is found.
    var held: [Packet] = []
    /// What those take that came before the answer to the greeting.
    var heldBytes = 0
    /// A CONN_META that it repeated is being judged.
    var isJudgedAgain = false
    /// The route of the first that is held takes long to find.
    var isFindingRoute = false
    /// It is closed, or about to be.
    var isEnding = false
    /// As they were when the read under way began.
    private(set) var settings: SessionSettings
    private var settingsVersion: Int
    private let processor: NIOSingleStepByteToMessageProcessor<PacketDecoder>
    private(set) var context: ChannelHandlerContext?

    /// The connection's, both ways: that of its first packet.
    private(set) var framing = Framing.plain
    /// Publishes and DELIVER_ACKs of the read under way.
    var publishes = ReadBatch<PendingPublish>()
    var fly = ReadBatch<(message: Message, route: Route)>()
    var acknowledgements = ReadBatch<DeliveryMachine.Acknowledgement>()
    /// Opaques of deliveries that the read under way says are being worked on.
    var extensions = ReadBatch<UInt32>()
    var recentRoute = RecentRoute()
    /// Nil where the group has no limits that a publish is held against, and before it is let in.
    var quota: GroupQuota?
    /// Publishes of the read under way, whatever became of them.
    var publishCount = 0
    /// What the read under way is answered.
    var outbound = ByteBuffer()
    private var isReading = false

    /// Bytes of publishes that await their store ack.
    var unacknowledgedBytes = 0
    /// What it was given to send and has not taken.
    var unwritten = Unwritten()
    var stallTimer: Scheduled<Void>?
    private(set) var isPaused = false
    /// Why it is not read, if it is not: too many of its publishes, or of its answers, wait; or a route is found; or there is no ``room``.
    private var hasTooManyPublishes = false
    private(set) var hasTooManyAnswers = false
    private var haveDeadlinesStopped = false
    private var isDraining = false
    private(set) var lastRead = NIODeadline.now()
    var patience = PacketPatience()
    /// Whether there is room for the large packet that is on its way in; while it is awaited the socket is not read.
    enum Room { case none, awaited, taken }
    var room = Room.none
    let progress = PacketProgress()
    /// When the read under way began: all its packets came then.
    private(set) var arrival = Arrival()
    private var timer: Scheduled<Void>?

    /// The longest CONN_META: it comes from nobody knows whom.
    private static let greetingBytes = 16 << 10

    init(services: SessionServices, place: Admissions.Place) {
        self.services = services
        self.place = place
        peer = place.peer
        logger = services.logger
        settingsVersion = services.settingsVersion
        settings = services.settings
        processor = NIOSingleStepByteToMessageProcessor(
            PacketDecoder(
                maximumBodyLength: settings.maxPacket, maximumFirstLength: Self.greetingBytes, progress: progress),
            maximumBufferSize: PacketDecoder.maximumBufferedBytes)
    }

    var refusesPublishes: Bool { isDraining || services.isDraining }

    /// That of a client that was let in.
    private var group: String? {
        if case .open(let connection, _) = state { connection.group } else { nil }
    }

    // MARK: Life

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func channelActive(context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(
            in: .nanoseconds(settings.handshakeTimeout.nanoseconds)
        ) { [weak self] in
            guard let self else { return }
            switch self.state {
            case .greeting: self.reject(.handshake, "no CONN_META within \(self.settings.handshakeTimeout)")
            case .judging: self.reject(.busy, "too many clients are waiting to be let in, try again later")
            case .open, .closed: break
            }
        }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent { isEncrypted = true }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if isFindingRoute {
            handleHeld()
            finishRead()
        }
        timer?.cancel()
        stallTimer?.cancel()
        patience.end()
        held = []
        services.dispatcher.outbound.subtract(unwritten.end().deliveries)
        if case .open(let connection, let client) = state {
            connection.markClosed()
            if room != .none { services.packetRoom.leave(connection.id) }
            // In this order: when a stop has seen the last connection go, all that they left undone has been decided.
            if let client { services.dispatcher.disconnect(client) }
            services.connections.remove(connection)
        }
        state = .closed
        self.context = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .greeting = state, let error = error as? NIOSSLError, error != .uncleanShutdown {
            services.refusals.refuse(.tls, peer, "its TLS handshake failed: \(TLSReason.clause("\(error)"))")
        } else {
            logger.debug("the connection broke: \(error)", metadata: ["peer": "\(peer)"])
        }
        context.close(promise: nil)
    }

    /// Takes what a reload changed.
    func refreshSettings() {
        let version = services.settingsVersion
        guard version != settingsVersion else { return }
        settingsVersion = version
        settings = services.settings
        // It holds what the group might do before.
        recentRoute = RecentRoute()
        if case .open(let connection, _) = state { quota = services.quota(of: connection.group, settings) }
    }

    /// Watches for silence once the handshake is done.
    func watchIdle() {
        timer?.cancel()
        guard let context else { return }
        let timeout = TimeAmount.nanoseconds(settings.idleTimeout.nanoseconds)
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: lastRead + timeout) { [weak self] in
            guard let self else { return }
            if !self.isPaused && NIODeadline.now() - self.lastRead >= timeout {
                self.services.refusals.refuse(
                    .silent, self.peer, of: self.group, "it was silent for \(self.settings.idleTimeout)")
                self.close()
            } else {
                if self.isPaused { self.lastRead = .now() }
                self.watchIdle()
            }
        }
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        refreshSettings()
        lastRead = .now()
        arrival = services.clocks.arrival()
        isReading = true
        var isWhole = false
        do {
            try processor.process(buffer: unwrapInboundIn(data)) { packet in
                isWhole = true
                self.framing = packet.framing
                try self.handle(packet)
            }
        } catch {
            malformed(error)
        }
        watchPacket(isPartial: processor.unprocessedBytes > 0, isNew: isWhole)
        watchRoom(partial: processor.unprocessedBytes, isNew: isWhole)
    }

    /// Does what may bring answers as a read does, and sends them in one write.
    func asRead(_ body: () throws -> Void) {
        arrival = services.clocks.arrival()
        isReading = true
        do { try body() } catch { malformed(error) }
        finishRead()
        isReading = false
        flush()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        finishRead()
        isReading = false
        flush()
    }

    private func finishRead() {
        if let batch = publishes.take() { services.publishing.submit(batch) }
        if let batch = fly.take() { services.dispatcher.acceptFly(batch) }
        if case .open(let connection, let client) = state {
            let (answers, extended) = (acknowledgements.take(), extensions.take())
            if let client, let answers { services.dispatcher.acknowledge(answers, client: client) }
            if let client, let extended { services.dispatcher.extend(extended, client: client) }
            connection.published.add(publishCount)
            publishCount = 0
        }
        if unacknowledgedBytes > services.configuration.connectionPublishBytes { hasTooManyPublishes = true }
        updatePause()
    }

    /// A packet that cannot be understood ends its own connection, and nothing else.
    private func malformed(_ error: any Error) {
        services.malformed.add(1)
        // What came whole before it counts.
        handleHeld()
        finishRead()
        switch state {
        case .greeting, .judging:
            let wire = error as? WireError
            framing = wire?.framing ?? .plain
            reject(.handshake, "\(error)", wire?.header.map(Answer.init))
        case .open(let connection, _):
            services.refusals.refuse(.malformed, peer, of: connection.group, "\(error)")
            close()
        case .closed: break
        }
    }

    /// A greeting that is not taken: CONN_AUTH with status false, and the end.
    /// - Parameter log: what the log says instead.
    func reject(_ kind: Refusals.Kind, _ reason: String, _ answer: Answer? = nil, log: String? = nil) {
        services.refusals.refuse(kind, peer, log ?? reason)
        writeAuthentication(
            false, feedback: reason, opaque: answer?.opaque ?? 0, version: answer?.version ?? 0,
            extensionField: answer?.extensionField ?? 0)
        close()
        // What it sends on is nobody's.
        if case .open = state { return }
        state = .closed
    }

    // MARK: Back-pressure

    /// Store acks went out: reading goes on once half of the bound is free.
    func acknowledged(bytes: Int) {
        unacknowledgedBytes -= bytes
        if unacknowledgedBytes < services.configuration.connectionPublishBytes / 2 { hasTooManyPublishes = false }
        updatePause()
    }

    /// A write has ended: answers that the client has taken let it be read again once half of the bound is free.
    private func wrote(_ write: Unwritten.Write) {
        services.dispatcher.outbound.subtract(write.deliveries)
        unwritten.wrote(write)
        if unwritten.answers < Unwritten.mostAnswers / 2 { hasTooManyAnswers = false }
        updatePause()
    }

    /// While the store, or the finding of a route, is what keeps the socket from being read, the client's DELIVER_ACKs cannot arrive for no fault of its own, and
    /// its deadlines stand still. Those of a client that does not take its answers run on.
    func updatePause() {
        let isBrokersDoing = hasTooManyPublishes || isFindingRoute || room == .awaited
        if haveDeadlinesStopped != isBrokersDoing, case .open(_, let client?) = state {
            haveDeadlinesStopped = isBrokersDoing
            services.dispatcher.setReading(client, !isBrokersDoing)
        }
        setPaused(isBrokersDoing || hasTooManyAnswers)
        if let context { watchWriting(context) }
    }

    /// While the socket is not read, heartbeats cannot arrive: the client's idle clock stands still.
    private func setPaused(_ paused: Bool) {
        guard isPaused != paused, context != nil else { return }
        isPaused = paused
        lastRead = .now()
        patience.restart(now: lastRead)
        if case .open(let connection, _) = state { connection.setReadingPaused(paused) }
        setReading(!paused)
    }

    func setReading(_ reading: Bool) {
        guard let context else { return }
        context.channel.setOption(.autoRead, value: reading).whenFailure { [logger, peer] error in
            logger.debug("cannot change whether a connection is read: \(error)", metadata: ["peer": "\(peer)"])
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if case .open(_, let client?) = state {
            services.dispatcher.setWritable(client, context.channel.isWritable)
        }
        watchWriting(context)
    }

    // MARK: Ending

    func drain() { isDraining = true }

    func close() {
        flush(always: true)
        context?.close(promise: nil)
    }

    // MARK: Writing

    /// Sends what was put into `outbound`, unless a read is under way that will do so at its end.
    func flush(always: Bool = false) {
        guard always || !isReading, let context, outbound.readableBytes > 0 else { return }
        let buffer = outbound
        outbound = ByteBuffer()
        let write = unwritten.write(buffer.readableBytes)
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in self.wrote(write) }
        context.writeAndFlush(wrapOutboundOut(buffer), promise: promise)
        if unwritten.answers > Unwritten.mostAnswers { hasTooManyAnswers = true }
        updatePause()
    }
}
