import KiteQWire
import Logging
import NIOCore
import NIOSSL

/// What a connection is told that it did not ask for.
enum ClientEvent: Sendable {
    case delivery(opaque: Int32, command: Command, MessageBody)
    case question(opaque: Int32, header: ByteBuffer)
}

/// One connection's packets: publishes out and their store acks in by opaque, deliveries and questions in, heartbeats.
/// Lives on its event loop.
final class ClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let greeted: EventLoopPromise<Void>
    private let configuration: KiteQConfiguration
    private let logger: Logger
    private let onEvent: @Sendable (ClientEvent) -> Void
    private let processor = NIOSingleStepByteToMessageProcessor(
        PacketDecoder(framing: .plain), maximumBufferSize: PacketDecoder.maximumBufferedBytes)
    private var context: ChannelHandlerContext?
    private var outbound = ByteBuffer()
    private var pending: [Int32: EventLoopPromise<StoreAck>] = [:]
    /// Ours; the broker numbers its own packets.
    private var nextOpaque: Int32 = 1
    private var lastRead = NIODeadline.now()
    private var lastWrite = NIODeadline.now()
    private var heartbeat: Scheduled<Void>?
    private var isGreeted = false

    init(
        configuration: KiteQConfiguration, eventLoop: any EventLoop, logger: Logger,
        onEvent: @escaping @Sendable (ClientEvent) -> Void
    ) {
        self.configuration = configuration
        self.logger = logger
        self.onEvent = onEvent
        greeted = eventLoop.makePromise()
    }

    // MARK: Life

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        do {
            try PacketWriter.writeConnMeta(
                into: &outbound, framing: .plain, opaque: 0,
                ConnMeta(
                    groupID: configuration.group, secretKey: configuration.secret,
                    warmingUpSeconds: Int32(clamping: configuration.warmUpSeconds)))
            flush()
        } catch {
            end(KiteQError(.invalid, "\(error)"))
        }
        let interval = TimeAmount.nanoseconds(configuration.heartbeatInterval.wholeNanoseconds)
        scheduleBeat(interval)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(
            KiteQError(
                .outcomeUnknown, "the connection was lost before the broker answered: the message may be stored or not")
        )
        self.context = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        logger.debug("the connection broke: \(error)")
        if !isGreeted, error is NIOSSLError || error is NIOSSLExtraError || error is BoringSSLError {
            isGreeted = true
            greeted.fail(KiteQError(.notConnected, "TLS with the broker failed: \(error)"))
        }
        context.close(promise: nil)
    }

    private func end(_ error: KiteQError) {
        heartbeat?.cancel()
        if !isGreeted {
            greeted.fail(KiteQError(.notConnected, "the broker closed the connection before it let us in"))
        }
        isGreeted = true
        for promise in pending.values { promise.fail(error) }
        pending = [:]
        context?.close(promise: nil)
    }

    private func scheduleBeat(_ interval: TimeAmount) {
        heartbeat = context?.eventLoop.assumeIsolated().scheduleTask(in: interval) { [weak self] in
            self?.beat(interval)
            self?.scheduleBeat(interval)
        }
    }

    private func beat(_ interval: TimeAmount) {
        let now = NIODeadline.now()
        let silence = now - lastRead
        if silence > interval + interval + interval {
            return end(
                KiteQError(.outcomeUnknown, "the broker has been silent for too long: the message may be stored or not")
            )
        }
        // The broker, too, wants to hear something: while all handlers are busy this side may only read.
        guard silence >= interval || now - lastWrite >= interval else { return }
        PacketWriter.writeHeartBeat(
            into: &outbound, framing: .plain, opaque: takeOpaque(),
            HeartBeat(version: Int64(now.uptimeNanoseconds / 1_000_000)))
        flush()
    }

    // MARK: Out

    /// Sends these in one write; each future has its store ack.
    func publish(_ messages: [EncodedMessage]) -> [EventLoopFuture<StoreAck>] {
        guard let context else { return [] }
        let futures = messages.map { message in
            let promise = context.eventLoop.makePromise(of: StoreAck.self)
            let opaque = takeOpaque()
            do {
                try PacketWriter.writeDelivery(
                    into: &outbound, framing: .plain, opaque: opaque, version: 0, extension: 0,
                    command: message.command,
                    header: message.header, body: message.body, extra: nil)
                pending[opaque] = promise
            } catch {
                promise.fail(KiteQError(.invalid, "\(error)"))
            }
            return promise.futureResult
        }
        flush()
        return futures
    }

    func acknowledge(opaque: Int32, header: ByteBuffer, isSuccess: Bool, feedback: String) {
        write { () throws(WireError) in
            try PacketWriter.writeDeliverAck(
                into: &outbound, framing: .plain, opaque: opaque, header: MessageHeaderView(decoding: header),
                status: isSuccess, feedback: feedback)
        }
    }

    /// Commits or rolls back; `opaque` is the broker's where it asked.
    func decide(header: ByteBuffer, status: Int32, feedback: String, opaque: Int32?) {
        let opaque = opaque ?? takeOpaque()
        write { () throws(WireError) in
            try PacketWriter.writeTransactionAck(
                into: &outbound, framing: .plain, opaque: opaque, version: 0, extension: 0, header: header,
                status: status,
                feedback: feedback)
        }
    }

    private func takeOpaque() -> Int32 {
        defer { nextOpaque = nextOpaque == .max ? 1 : nextOpaque + 1 }
        return nextOpaque
    }

    private func write(_ packet: () throws(WireError) -> Void) {
        do {
            try packet()
            flush()
        } catch {
            logger.error("a packet could not be written: \(error)")
        }
    }

    private func flush() {
        guard let context, outbound.readableBytes > 0 else { return }
        let buffer = outbound
        outbound = ByteBuffer()
        lastWrite = .now()
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    // MARK: In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastRead = .now()
        do {
            try processor.process(buffer: unwrapInboundIn(data)) { try self.handle($0) }
        } catch {
            logger.warning("closing a connection after a packet that cannot be understood: \(error)")
            context.close(promise: nil)
        }
    }

    private func handle(_ packet: Packet) throws {
        switch packet.header.command {
        case .connAuth:
            let ack = try ConnAuthAck(decoding: packet.body)
            guard !isGreeted else { return }
            isGreeted = true
            if ack.status {
                greeted.succeed()
            } else {
                greeted.fail(
                    KiteQError(.refused, "the broker does not let group \(configuration.group) in: \(ack.feedback)"))
            }
        case .messageStoreAck:
            pending.removeValue(forKey: packet.header.opaque)?.succeed(try StoreAck(decoding: packet.body))
        case .bytesMessage, .stringMessage:
            onEvent(
                .delivery(
                    opaque: packet.header.opaque, command: packet.header.command, try MessageBody.split(packet.body)))
        case .txAck:
            onEvent(.question(opaque: packet.header.opaque, header: try TransactionAck(decoding: packet.body).header))
        case .heartbeat:
            break
        default:
            throw KiteQError(.invalid, "command \(packet.header.command) is not a broker's to send")
        }
    }
}

extension Duration {
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
