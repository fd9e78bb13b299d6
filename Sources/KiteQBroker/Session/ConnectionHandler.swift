import KiteQCore
import KiteQWire
import Logging
import NIOCore

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
        case open(Connection, DeliveryClientID)
        case closed
    }

    let services: SessionServices
    let logger: Logger
    let peer: String
    var state = State.greeting
    private let processor = NIOSingleStepByteToMessageProcessor(
        PacketDecoder(), maximumBufferSize: PacketDecoder.maximumBufferedBytes)
    private(set) var context: ChannelHandlerContext?

    /// The connection's, both ways: that of its first packet.
    private(set) var framing = Framing.plain
    /// Publishes and DELIVER_ACKs of the read under way.
    var publishes = ReadBatch<PendingPublish>()
    var fly = ReadBatch<(message: Message, route: Route)>()
    var acknowledgements = ReadBatch<DeliveryMachine.Acknowledgement>()
    var recentRoute = RecentRoute()
    /// Publishes of the read under way, whatever became of them.
    var publishCount = 0
    /// What the read under way is answered.
    var outbound = ByteBuffer()
    private var isReading = false

    /// Bytes of publishes that await their store ack.
    var unacknowledgedBytes = 0
    private var isPaused = false
    private var isDraining = false
    private var lastRead = NIODeadline.now()
    /// When the read under way began: all its packets came then.
    private(set) var arrival: (wall: Timestamp, monotonic: MonotonicTime) = (0, 0)
    private var timer: Scheduled<Void>?

    init(services: SessionServices, peer: String) {
        self.services = services
        self.peer = peer
        logger = services.logger
    }

    var refusesPublishes: Bool { isDraining || services.isDraining }

    // MARK: Life

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func channelActive(context: ChannelHandlerContext) {
        services.open.add(1)
        timer = context.eventLoop.assumeIsolated().scheduleTask(
            in: .nanoseconds(services.configuration.handshakeTimeout.nanoseconds)
        ) { [weak self] in
            guard let self, case .greeting = self.state else { return }
            self.reject("no CONN_META within \(self.services.configuration.handshakeTimeout)")
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        services.open.add(-1)
        timer?.cancel()
        if case .open(let connection, let client) = state {
            connection.markClosed()
            // In this order: when a stop has seen the last connection go, all that they left undone has been decided.
            services.dispatcher.disconnect(client)
            services.connections.remove(connection)
        }
        state = .closed
        self.context = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        logger.debug("the connection broke: \(error)", metadata: ["peer": "\(peer)"])
        context.close(promise: nil)
    }

    /// Watches for silence once the handshake is done.
    func watchIdle() {
        timer?.cancel()
        guard let context else { return }
        let timeout = TimeAmount.nanoseconds(services.configuration.idleTimeout.nanoseconds)
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: lastRead + timeout) { [weak self] in
            guard let self else { return }
            if !self.isPaused && NIODeadline.now() - self.lastRead >= timeout {
                self.logger.info(
                    "closing a connection that was silent for \(self.services.configuration.idleTimeout)",
                    metadata: ["peer": "\(self.peer)"])
                self.close()
            } else {
                if self.isPaused { self.lastRead = .now() }
                self.watchIdle()
            }
        }
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastRead = .now()
        arrival = (SystemTime.wall(), SystemTime.monotonic())
        isReading = true
        do {
            try processor.process(buffer: unwrapInboundIn(data)) { packet in
                self.framing = packet.framing
                try self.handle(packet)
            }
        } catch {
            malformed(error)
        }
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
            if let batch = acknowledgements.take() { services.dispatcher.acknowledge(batch, client: client) }
            connection.published.add(publishCount)
            publishCount = 0
        }
        if unacknowledgedBytes > services.configuration.connectionPublishBytes { setPaused(true) }
    }

    /// A packet that cannot be understood ends its own connection, and nothing else.
    private func malformed(_ error: any Error) {
        services.malformed.add(1)
        // What came whole before it counts.
        finishRead()
        if case .greeting = state {
            let wire = error as? WireError
            framing = wire?.framing ?? .plain
            reject(
                "\(error)", opaque: wire?.header?.opaque ?? 0, version: wire?.header?.version ?? 0,
                extensionField: wire?.header?.extension ?? 0)
        } else if case .open = state {
            logger.warning(
                "closing a connection after a packet that cannot be understood: \(error)", metadata: ["peer": "\(peer)"]
            )
            close()
        }
    }

    /// A greeting that is not taken: CONN_AUTH with status false, and the end.
    func reject(_ reason: String, opaque: Int32 = 0, version: Int16 = 0, extensionField: Int64 = 0) {
        logger.warning("refusing a connection: \(reason)", metadata: ["peer": "\(peer)"])
        services.refusedConnections.add(1)
        writeAuthentication(
            false, feedback: reason, opaque: opaque, version: version, extensionField: extensionField)
        close()
    }

    // MARK: Back-pressure

    /// Store acks went out: reading goes on once half of the bound is free.
    func acknowledged(bytes: Int) {
        unacknowledgedBytes -= bytes
        if isPaused && unacknowledgedBytes < services.configuration.connectionPublishBytes / 2 { setPaused(false) }
    }

    /// While the socket is not read, the client's DELIVER_ACKs and heartbeats cannot arrive: its deadlines and its idle clock
    /// stand still.
    private func setPaused(_ paused: Bool) {
        guard isPaused != paused, let context else { return }
        isPaused = paused
        lastRead = .now()
        if case .open(let connection, let client) = state {
            connection.setReadingPaused(paused)
            services.dispatcher.setReading(client, !paused)
        }
        context.channel.setOption(.autoRead, value: !paused).whenFailure { [logger, peer] error in
            logger.debug("cannot change whether a connection is read: \(error)", metadata: ["peer": "\(peer)"])
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if case .open(_, let client) = state {
            services.dispatcher.setWritable(client, context.channel.isWritable)
        }
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
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }
}
