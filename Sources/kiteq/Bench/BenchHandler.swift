import Histogram
import KiteQCore
import KiteQWire
import NIOCore

/// Speaks the protocol for one connection of the load: publishes what it may, acknowledges what it gets, and takes times.
final class BenchHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let greeted: EventLoopPromise<Void>
    private(set) var count = 0
    private(set) var latency = BenchFigures.makeHistogram()

    private let group: String
    private let publishing: BenchPublishing?
    private let processor = NIOSingleStepByteToMessageProcessor(
        PacketDecoder(framing: .plain), maximumBufferSize: PacketDecoder.maximumBufferedBytes)
    private var context: ChannelHandlerContext?
    private var outbound = ByteBuffer()
    private var isMeasuring = false
    private var isPublishing = false
    private var finished: EventLoopPromise<Void>?

    /// When each unacknowledged publish was, or should have been, sent, by opaque.
    private var sent: [Int32: Int64] = [:]
    private var nextOpaque: Int32 = 1
    private var nextDue: Int64 = 0
    private var header = ByteBuffer()
    private var body = ByteBuffer()
    private var ids = SystemRandomNumberGenerator()
    private var idPrefix: UInt64

    init(group: String, publishing: BenchPublishing?, eventLoop: any EventLoop) {
        self.group = group
        self.publishing = publishing
        idPrefix = ids.next()
        greeted = eventLoop.makePromise()
    }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        do {
            try PacketWriter.writeConnMeta(
                into: &outbound, framing: .plain, opaque: 0,
                ConnMeta(groupID: group, secretKey: "", warmingUpSeconds: 0))
            if let publishing { try prepare(publishing) }
            flush()
        } catch {
            fail(error)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(CommandError("the broker closed a connection of the load"))
        self.context = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(error) }

    private func fail(_ error: any Error) {
        greeted.fail(error)
        finished?.fail(error)
        finished = nil
        context?.close(promise: nil)
    }

    private func prepare(_ publishing: BenchPublishing) throws {
        var proto = ProtoHeader()
        proto.messageID = String(repeating: "0", count: 32)
        proto.topic = BenchBroker.topic
        proto.messageType = publishing.messageType
        proto.expiredTime = -1
        proto.deliverLimit = 100
        proto.groupID = group
        proto.commit = true
        proto.fly = false
        proto.createTime = 1_800_000_000
        header = try proto.serializedBuffer()
        body.writeRepeatingByte(120, count: publishing.size)
    }

    // MARK: Control

    func start() {
        isPublishing = true
        nextDue = now()
        publishAtItsTime()
    }

    func measure() {
        count = 0
        latency.reset()
        isMeasuring = true
    }

    func finish() -> EventLoopFuture<Void> {
        guard let context else { return greeted.futureResult }
        isPublishing = false
        isMeasuring = false
        let promise = context.eventLoop.makePromise(of: Void.self)
        if sent.isEmpty { promise.succeed() } else { finished = promise }
        return promise.futureResult
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            try processor.process(buffer: unwrapInboundIn(data)) { try self.handle($0) }
        } catch {
            fail(error)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        publish()
        flush()
    }

    private func handle(_ packet: Packet) throws {
        switch packet.header.command {
        case .connAuth:
            let ack = try ConnAuthAck(decoding: packet.body)
            guard ack.status else { throw CommandError("the broker refused the load: \(ack.feedback)") }
            greeted.succeed()
        case .messageStoreAck:
            let ack = try StoreAck(decoding: packet.body)
            guard ack.status else { throw CommandError("a publish was refused: \(ack.feedback)") }
            guard let time = sent.removeValue(forKey: packet.header.opaque) else { return }
            if isMeasuring { record(time) }
            if sent.isEmpty { finished?.succeed() }
        case .bytesMessage, .stringMessage:
            let parts = try MessageBody.split(packet.body)
            if isMeasuring, let time = parts.body.getInteger(at: parts.body.readerIndex, as: Int64.self) {
                record(time)
            }
            try PacketWriter.writeDeliverAck(
                into: &outbound, framing: .plain, opaque: packet.header.opaque,
                header: MessageHeaderView(decoding: parts.header), status: true, feedback: "")
        default:
            break
        }
    }

    private func record(_ time: Int64) {
        count += 1
        latency.record(UInt64(max(1, min(now() - time, 60_000_000_000))))
    }

    // MARK: Writing

    private func publish() {
        guard isPublishing, let publishing else { return }
        let time = now()
        if let interval = publishing.interval {
            // Each at its time; one that could not be sent then counts from then all the same.
            while nextDue <= time {
                write(time: nextDue)
                nextDue += interval
            }
        } else {
            while sent.count < publishing.outstanding { write(time: time) }
        }
        flush()
    }

    private func publishAtItsTime() {
        publish()
        guard isPublishing, let context, publishing?.interval != nil else { return }
        context.eventLoop.assumeIsolated().scheduleTask(deadline: .uptimeNanoseconds(UInt64(nextDue))) {
            self.publishAtItsTime()
        }
    }

    private func write(time: Int64) {
        let opaque = nextOpaque
        nextOpaque &+= 1
        sent[opaque] = time
        // The id is the header's first field: two bytes of tag and length, 32 digits.
        let id = MessageID(high: idPrefix, low: UInt64(truncatingIfNeeded: Int64(opaque)) &* 0x9E37_79B9_7F4A_7C15)
        header.setString(id.description, at: header.readerIndex + 2)
        body.setInteger(time, at: body.readerIndex)
        do {
            try PacketWriter.writeDelivery(
                into: &outbound, framing: .plain, opaque: opaque, version: 0, extension: 0, command: .bytesMessage,
                header: header, body: body, extra: nil)
        } catch {
            fail(error)
        }
    }

    private func flush() {
        guard let context, outbound.readableBytes > 0 else { return }
        let buffer = outbound
        outbound = ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    private func now() -> Int64 { Int64(NIODeadline.now().uptimeNanoseconds) }
}
