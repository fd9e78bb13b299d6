import KiteQWire
import NIOCore

/// Speaks the protocol for one connection of a command.
final class LinkHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let greeted: EventLoopPromise<Void>
    private let meta: ConnMeta
    private let events: AsyncStream<LinkEvent>.Continuation
    private let processor = NIOSingleStepByteToMessageProcessor(
        PacketDecoder(framing: .plain), maximumBufferSize: PacketDecoder.maximumBufferedBytes)
    private var context: ChannelHandlerContext?
    private var waiting: [Int32: EventLoopPromise<StoreAck>] = [:]
    private var nextOpaque: Int32 = 1
    private var heartbeat: Scheduled<Void>?
    private var failure: any Error = CommandError("the broker closed the connection")

    init(meta: ConnMeta, events: AsyncStream<LinkEvent>.Continuation, eventLoop: any EventLoop) {
        self.meta = meta
        self.events = events
        greeted = eventLoop.makePromise()
    }

    // MARK: Life

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        write { buffer in try PacketWriter.writeConnMeta(into: &buffer, framing: .plain, opaque: 0, self.meta) }
        scheduleHeartbeat(context)
    }

    /// Well below the shortest silence after which a broker may drop us (protocol.md: 120 s).
    private func scheduleHeartbeat(_ context: ChannelHandlerContext) {
        heartbeat = context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(30)) {
            guard let context = self.context else { return }
            self.write { buffer in
                PacketWriter.writeHeartBeat(into: &buffer, framing: .plain, opaque: 0, HeartBeat(version: 1))
            }
            self.scheduleHeartbeat(context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        heartbeat?.cancel()
        self.context = nil
        greeted.fail(failure)
        for promise in waiting.values { promise.fail(failure) }
        waiting = [:]
        events.finish()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        failure = error
        context.close(promise: nil)
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            try processor.process(buffer: unwrapInboundIn(data)) { try self.handle($0) }
        } catch {
            errorCaught(context: context, error: error)
        }
    }

    private func handle(_ packet: Packet) throws {
        switch packet.header.command {
        case .connAuth:
            let ack = try ConnAuthAck(decoding: packet.body)
            guard ack.status else { throw CommandError("the broker refused the connection: \(ack.feedback)") }
            greeted.succeed()
        case .messageStoreAck:
            waiting.removeValue(forKey: packet.header.opaque)?.succeed(try StoreAck(decoding: packet.body))
        case .bytesMessage, .stringMessage:
            events.yield(.delivery(try LinkDelivery(packet)))
        case .txAck:
            events.yield(.question(try LinkQuestion(packet)))
        default:
            break  // A heartbeat's echo.
        }
    }

    // MARK: Writing

    func publish(_ message: OutgoingMessage) -> EventLoopFuture<StoreAck> {
        guard let context else { return greeted.futureResult.eventLoop.makeFailedFuture(failure) }
        let opaque = nextOpaque
        nextOpaque &+= 1
        let promise = context.eventLoop.makePromise(of: StoreAck.self)
        waiting[opaque] = promise
        write { buffer in
            try PacketWriter.writeDelivery(
                into: &buffer, framing: .plain, opaque: opaque, version: 0, extension: 0, command: .stringMessage,
                header: try message.header(), body: ByteBuffer(string: message.body), extra: nil)
        }
        return promise.futureResult
    }

    func acknowledge(_ delivery: LinkDelivery, status: Bool, feedback: String) {
        write { buffer in
            try PacketWriter.writeDeliverAck(
                into: &buffer, framing: .plain, opaque: delivery.opaque,
                header: MessageHeaderView(decoding: delivery.header), status: status, feedback: feedback)
        }
    }

    /// - Parameter opaque: the question's; nil where nobody asked.
    func settle(_ header: ByteBuffer, _ answer: TransactionAnswer, opaque: Int32?) {
        let number = opaque ?? nextOpaque
        if opaque == nil { nextOpaque &+= 1 }
        write { buffer in
            try PacketWriter.writeTransactionAck(
                into: &buffer, framing: .plain, opaque: number, version: 0, extension: 0, header: header,
                status: answer.status, feedback: "")
        }
    }

    private func write(_ body: (inout ByteBuffer) throws -> Void) {
        guard let context else { return }
        var buffer = context.channel.allocator.buffer(capacity: 1_024)
        do {
            try body(&buffer)
            context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        } catch {
            errorCaught(context: context, error: error)
        }
    }
}
