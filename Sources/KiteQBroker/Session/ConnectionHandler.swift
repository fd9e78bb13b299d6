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

    /// Who was let in.
    struct Client {
        let connection: Connection
        /// Nil where it does not consume: it said so.
        let deliveries: DeliveryClientID?
    }

    let services: SessionServices
    let logger: Logger
    let peer: Peer
    let place: Admissions.Place
    var machine = SessionMachine<Client>()
    var reading = ReadingGate()
    /// Whether a TLS handshake is done.
    private(set) var isEncrypted = false
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
    /// Nil before its first publish since a reload.
    var knownPublisher: Publisher?
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

    var isPaused: Bool { reading.isPaused }

    /// That of a client that was let in.
    private var group: String? { machine.client?.connection.group }

    // MARK: Life

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func channelActive(context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(
            in: .nanoseconds(settings.handshakeTimeout.nanoseconds)
        ) { [weak self] in
            guard let self else { return }
            if self.machine.isGreeting {
                self.reject(.handshake, "no CONN_META within \(self.settings.handshakeTimeout)")
            } else if self.machine.isJudging {
                self.reject(.busy, "too many clients are waiting to be let in, try again later")
            }
        }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent { isEncrypted = true }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if machine.isRouting {
            handleHeld()
            finishRead()
        }
        timer?.cancel()
        stallTimer?.cancel()
        patience.end()
        services.dispatcher.outbound.subtract(unwritten.end().deliveries)
        if let client = machine.client {
            let connection = client.connection
            connection.markClosed()
            if room != .none { services.packetRoom.leave(connection.id) }
            // In this order: when a stop has seen the last connection go, all that they left undone has been decided.
            if let deliveries = client.deliveries { services.dispatcher.disconnect(deliveries) }
            services.connections.remove(connection)
        }
        machine.close()
        self.context = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if machine.isGreeting, let error = error as? NIOSSLError, error != .uncleanShutdown {
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
        knownPublisher = nil
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
        if let client = machine.client {
            let (answers, extended) = (acknowledgements.take(), extensions.take())
            if let id = client.deliveries {
                if let answers { services.dispatcher.acknowledge(answers, client: id) }
                if let extended { services.dispatcher.extend(extended, client: id) }
            }
            client.connection.published.add(publishCount)
            publishCount = 0
        }
        updatePause()
    }

    /// A packet that cannot be understood ends its own connection, and nothing else.
    private func malformed(_ error: any Error) {
        services.malformed.add(1)
        // What came whole before it counts.
        handleHeld()
        finishRead()
        if let group {
            services.refusals.refuse(.malformed, peer, of: group, "\(error)")
            close()
        } else if !machine.isClosed {
            let wire = error as? WireError
            framing = wire?.framing ?? .plain
            reject(.handshake, "\(error)", wire?.header.map(Answer.init))
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
        if machine.client == nil { machine.close() }
    }

    // MARK: Back-pressure

    /// Store acks went out.
    func acknowledged(bytes: Int) {
        unacknowledgedBytes -= bytes
        updatePause()
    }

    /// A write has ended: the client has taken what is in it.
    private func wrote(_ write: Unwritten.Write) {
        services.dispatcher.outbound.subtract(write.deliveries)
        unwritten.wrote(write)
        updatePause()
    }

    /// Does what the gate says after what may have changed it.
    func updatePause() {
        guard let context else { return }
        reading.set(.publishes, unacknowledgedBytes, of: services.configuration.connectionPublishBytes)
        reading.set(.answers, unwritten.answers, of: Unwritten.mostAnswers)
        reading.set(.route, machine.isRouting)
        reading.set(.room, room == .awaited)
        reading.set(.verdict, machine.isJudging)
        let client = machine.client
        let change = reading.change(hasDeadlines: client?.deliveries != nil)
        if let id = client?.deliveries, let run = change.deadlinesRun { services.dispatcher.setReading(id, run) }
        if let isPaused = change.isPaused {
            lastRead = .now()
            patience.restart(now: lastRead)
            client?.connection.setReadingPaused(isPaused)
        }
        if let isRead = change.isRead { setReading(isRead, context) }
        watchWriting(context)
    }

    private func setReading(_ reading: Bool, _ context: ChannelHandlerContext) {
        context.channel.setOption(.autoRead, value: reading).whenFailure { [logger, peer] error in
            logger.debug("cannot change whether a connection is read: \(error)", metadata: ["peer": "\(peer)"])
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if let id = machine.client?.deliveries { services.dispatcher.setWritable(id, context.channel.isWritable) }
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
        updatePause()
    }
}
