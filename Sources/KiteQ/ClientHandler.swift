import KiteQWire
import Logging
import NIOCore
import NIOSSL

/// What a connection is told that it did not ask for.
enum ClientEvent: Sendable {
    case delivery(opaque: Int32, command: Command, MessageBody)
    case question(opaque: Int32, header: ByteBuffer)
}

/// One connection's packets: publishes out and their store acks in by opaque, deliveries and questions in, heartbeats, and word
/// of deliveries that are being worked on. Lives on its event loop.
final class ClientHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let greeted: EventLoopPromise<Void>
    private let configuration: KiteQConfiguration
    let role: ClientRole
    let hands: DeliveriesInHand
    private let responsiveness: Responsiveness
    private let logger: Logger
    private let onEvent: @Sendable (ClientEvent) -> Void
    private let processor = NIOSingleStepByteToMessageProcessor(
        PacketDecoder(framing: .plain), maximumBufferSize: PacketDecoder.maximumBufferedBytes)
    private(set) var context: ChannelHandlerContext?
    private var outbound = ByteBuffer()
    private var owed: OwedAnswers
    /// Ours; the broker numbers its own packets.
    private var nextOpaque: Int32 = 1
    var lastRead = NIODeadline.now()
    private var lastWrite = NIODeadline.now()
    private var heartbeat: Scheduled<Void>?
    /// Looks whether what is owed was answered; only while something is.
    private var probe: Scheduled<Void>?
    /// Tells those that their time is over who wait for an answer; only while somebody does.
    private var givingUp: Scheduled<Void>?
    /// Tells the broker what is being worked on.
    private var extending: Scheduled<Void>?
    private var isGreeted = false
    /// Why the connection is not read.
    var pause: ReadPause?
    var isReadWanted = false

    init(
        configuration: KiteQConfiguration, role: ClientRole, hands: DeliveriesInHand, responsiveness: Responsiveness,
        eventLoop: any EventLoop, logger: Logger, onEvent: @escaping @Sendable (ClientEvent) -> Void
    ) {
        self.configuration = configuration
        owed = OwedAnswers(timeout: .nanoseconds(configuration.publishTimeout.wholeNanoseconds))
        self.role = role
        self.hands = hands
        self.responsiveness = responsiveness
        self.logger = logger
        self.onEvent = onEvent
        greeted = eventLoop.makePromise()
    }

    // MARK: Life

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        do {
            try PacketWriter.writeConnMeta(
                into: &outbound, framing: .plain, opaque: 0, role.greeting(configuration))
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
            greeted.fail(KiteQError.handshake(error))
        }
        context.close(promise: nil)
    }

    private func end(_ error: KiteQError) {
        for timer in [heartbeat, probe, givingUp, extending] { timer?.cancel() }
        if !isGreeted {
            greeted.fail(KiteQError(.notConnected, "the broker closed the connection before it let us in"))
        }
        isGreeted = true
        for promise in owed.drain() { promise.fail(error) }
        responsiveness.owes(since: nil)
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
        let patience = interval + interval + interval
        switch pause {
        case .handsFull: break  // It is not heard for our own reasons.
        case .answersUnsent(let since) where now - since > patience:
            return end(KiteQError(.outcomeUnknown, "the broker has not read for too long"))
        case .answersUnsent: break
        case nil where silence > patience:
            return end(
                KiteQError(.outcomeUnknown, "the broker has been silent for too long: the message may be stored or not")
            )
        case nil: break
        }
        // The broker, too, wants to hear something: while all handlers are busy this side may only read.
        guard silence >= interval || now - lastWrite >= interval else { return }
        writeHeartBeat(now)
    }

    private func writeHeartBeat(_ now: NIODeadline) {
        PacketWriter.writeHeartBeat(
            into: &outbound, framing: .plain, opaque: takeOpaque(),
            HeartBeat(version: Int64(now.uptimeNanoseconds / 1_000_000)))
        flush()
    }

    /// While answers are owed: a broker that has said nothing for too long is asked for a sign of life, so that it comes back into
    /// use as soon as it gives one.
    private func scheduleProbe() {
        guard probe == nil, owed.owedSince != nil, let context else { return }
        let patience = TimeAmount.nanoseconds(configuration.suspectAfter.wholeNanoseconds)
        probe = context.eventLoop.assumeIsolated().scheduleTask(in: patience) { [weak self] in
            guard let self else { return }
            self.probe = nil
            if self.responsiveness.isSuspect() { self.writeHeartBeat(.now()) }
            self.scheduleProbe()
        }
    }

    // MARK: Deliveries in hand

    /// Each third of the broker's timeout, all that is in hand in one packet: two of them may be late before anything is given up.
    private func scheduleExtending() {
        // A broker may say any timeout: it does not make us write without end.
        let interval = TimeAmount.nanoseconds(max(20_000_000, hands.timeout.wholeNanoseconds / 3))
        extending = context?.eventLoop.assumeIsolated().scheduleTask(in: interval) { [weak self] in
            self?.extend()
            self?.scheduleExtending()
        }
    }

    private func extend() {
        let due = hands.extend()
        if due.overdue > 0 {
            logger.warning(
                "\(due.overdue) handlers run for longer than \(configuration.handlerTimeout): their messages will come again"
            )
        }
        var rest = due.opaques[...]
        while !rest.isEmpty {
            let part = rest.prefix(DeliverExtend.maximumCount)
            rest = rest.dropFirst(part.count)
            write { () throws(WireError) in
                try PacketWriter.writeDeliverExtend(
                    into: &outbound, framing: .plain, opaque: takeOpaque(),
                    DeliverExtend(opaques: part.map { UInt32(bitPattern: $0) }))
            }
        }
    }

    // MARK: Out

    /// Sends these in one write; each future has its store ack, or fails when the publish timeout is over.
    func publish(_ messages: [EncodedMessage]) -> [EventLoopFuture<StoreAck>] {
        guard let context else { return [] }
        if let reason = reasonNotToWrite {
            return messages.map { _ in context.eventLoop.makeFailedFuture(KiteQError(.notConnected, reason)) }
        }
        let now = NIODeadline.now()
        let futures = messages.map { message in
            let promise = context.eventLoop.makePromise(of: StoreAck.self)
            let opaque = takeOpaque()
            do {
                try PacketWriter.writeDelivery(
                    into: &outbound, framing: .plain, opaque: opaque, version: 0, extension: 0,
                    command: message.command,
                    header: message.header, body: message.body, extra: nil)
                owed.append(opaque, promise, now: now)
            } catch {
                promise.fail(KiteQError(.invalid, "\(error)"))
            }
            return promise.futureResult
        }
        flush()
        stillOwed()
        return futures
    }

    /// One timer for all of them, at the time of the one that was sent first.
    private func scheduleGivingUp() {
        guard givingUp == nil, let next = owed.nextGivenUp, let context else { return }
        givingUp = context.eventLoop.assumeIsolated().scheduleTask(deadline: next) { [weak self] in
            guard let self else { return }
            self.givingUp = nil
            while let promise = self.owed.giveUp(now: .now()) {
                promise.fail(
                    KiteQError(.outcomeUnknown, "the broker did not answer in time: the message may be stored or not"))
            }
            self.scheduleGivingUp()
        }
    }

    private func stillOwed() {
        responsiveness.owes(since: owed.owedSince)
        scheduleProbe()
        scheduleGivingUp()
    }

    func acknowledge(opaque: Int32, header: ByteBuffer, isSuccess: Bool, feedback: String) {
        write { () throws(WireError) in
            try PacketWriter.writeDeliverAck(
                into: &outbound, framing: .plain, opaque: opaque, header: MessageHeaderView(decoding: header),
                status: isSuccess, feedback: feedback)
        }
    }

    /// Commits or rolls back; `opaque` is the broker's where it asked. One that cannot be sent is lost, as any may be: the broker asks.
    func decide(header: ByteBuffer, status: Int32, feedback: String, opaque: Int32?) {
        if let reason = reasonNotToWrite { return logger.warning("a transaction's answer is not sent: \(reason)") }
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
        updateReading()
    }

    // MARK: In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastRead = .now()
        responsiveness.heard(at: lastRead)
        do {
            try processor.process(buffer: unwrapInboundIn(data)) { try self.handle($0) }
            owed.heard()
            responsiveness.owes(since: owed.owedSince)
            updateReading()
        } catch {
            logger.warning("closing a connection after a packet that cannot be understood: \(error)")
            context.close(promise: nil)
        }
    }

    private func handle(_ packet: Packet) throws {
        guard isGreeted || packet.header.command == .connAuth || packet.header.command == .heartbeat else {
            throw KiteQError(.invalid, "command \(packet.header.command) came before the broker let us in")
        }
        switch packet.header.command {
        case .connAuth:
            let ack = try ConnAuthAck(decoding: packet.body)
            guard !isGreeted else { return }
            isGreeted = true
            if ack.status {
                if let extensions = ack.extensions { agree(extensions) }
                greeted.succeed()
            } else {
                greeted.fail(
                    KiteQError(.refused, "the broker does not let group \(configuration.group) in: \(ack.feedback)"))
            }
        case .messageStoreAck:
            owed.take(packet.header.opaque)?.succeed(try StoreAck(decoding: packet.body))
        case .bytesMessage, .stringMessage:
            if case .consumer = role {
                guard hands.receive(packet.header.opaque, bytes: packet.body.readableBytes) else { return }
            }
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

    private func agree(_ extensions: ConnAuthAck.Extensions) {
        guard case .consumer = role, extensions.deliveryTimeoutMilliseconds > 0 else { return }
        let mayExtend = extensions.capabilities.contains(.extend)
        hands.agree(timeout: .milliseconds(extensions.deliveryTimeoutMilliseconds), mayExtend: mayExtend)
        if mayExtend { scheduleExtending() }
    }
}

extension Duration {
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
