import Histogram
import KiteQCore
import KiteQWire
import NIOCore

/// Speaks the protocol for one connection of the load: publishes what it may, acknowledges what it gets, and takes times.
final class BenchHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What a connection measured.
    struct Measured: Sendable {
        var acknowledged = 0
        var delivered = 0
        var ackLatency = BenchFigures.makeHistogram()
        var deliveryLatency = BenchFigures.makeHistogram()

        mutating func add(_ other: Measured) {
            acknowledged += other.acknowledged
            delivered += other.delivered
            ackLatency.add(other.ackLatency)
            deliveryLatency.add(other.deliveryLatency)
        }
    }

    let greeted: EventLoopPromise<Void>
    private(set) var measured = Measured()

    private let group: String
    private let publishing: BenchPublishing?
    private let fly: FlyWindow?
    private let processor = NIOSingleStepByteToMessageProcessor(
        PacketDecoder(framing: .plain), maximumBufferSize: PacketDecoder.maximumBufferedBytes)
    private var context: ChannelHandlerContext?
    private var outbound = ByteBuffer()
    private var isMeasuring = false
    private var isPublishing = false
    private var finished: EventLoopPromise<Void>?

    private var packet: BenchPacket?
    private var outstanding: OutstandingTimes
    private var nextOpaque: Int32 = 1
    /// Publishes that are still to be made.
    private var left: Int
    private var nextDue: Int64 = 0
    private let idPrefix: UInt64

    /// - Parameter fly: of a load of fly messages.
    init(group: String, publishing: BenchPublishing?, fly: FlyWindow?, eventLoop: any EventLoop) throws {
        self.group = group
        self.publishing = publishing
        self.fly = fly
        var random = SystemRandomNumberGenerator()
        idPrefix = random.next()
        greeted = eventLoop.makePromise()
        left = publishing?.count ?? .max
        // Store acks of different shards overtake each other.
        outstanding = OutstandingTimes(capacity: publishing == nil ? 1 : 1 << 18)
        if let publishing {
            packet = try BenchPacket(
                topic: BenchBroker.topic, messageType: publishing.messageType, group: group, size: publishing.size,
                isFly: publishing.isFly)
        }
    }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        do {
            try PacketWriter.writeConnMeta(
                into: &outbound, framing: .plain, opaque: 0,
                ConnMeta(groupID: group, secretKey: "", warmingUpSeconds: 0))
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

    // MARK: Control

    func start() {
        isPublishing = true
        fly?.add { [weak self] in self?.publish() }
        nextDue = now()
        publishAtItsTime()
    }

    func measure() {
        measured = Measured()
        isMeasuring = true
    }

    func finish() -> EventLoopFuture<Void> {
        isPublishing = false
        isMeasuring = false
        return allAcknowledged()
    }

    /// Succeeds once nothing more is to be published, and every store ack came.
    func allAcknowledged() -> EventLoopFuture<Void> {
        guard let context else { return greeted.futureResult }
        let promise = context.eventLoop.makePromise(of: Void.self)
        if isDone { promise.succeed() } else { finished = promise }
        return promise.futureResult
    }

    private var isDone: Bool { outstanding.count == 0 && (!isPublishing || left == 0) }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            let time = now()
            try processor.process(buffer: unwrapInboundIn(data)) { try self.handle($0, at: time) }
        } catch {
            fail(error)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        publish()
        flush()
        fly?.publishAgain()
    }

    private func handle(_ packet: Packet, at time: Int64) throws {
        switch packet.header.command {
        case .connAuth:
            let ack = try ConnAuthAck(decoding: packet.body)
            guard ack.status else { throw CommandError("the broker refused the load: \(ack.feedback)") }
            greeted.succeed()
        case .messageStoreAck:
            let ack = try StoreAck(decoding: packet.body)
            guard ack.status else { throw CommandError("a publish was refused: \(ack.feedback)") }
            guard let sent = outstanding.remove(packet.header.opaque) else { return }
            if isMeasuring {
                measured.acknowledged += 1
                measured.ackLatency.record(latency(since: sent, at: time))
            }
            if isDone { finished?.succeed() }
        case .bytesMessage, .stringMessage:
            let parts = try MessageBody.split(packet.body)
            fly?.delivered()
            if isMeasuring, let sent = parts.body.getInteger(at: parts.body.readerIndex, as: Int64.self) {
                measured.delivered += 1
                measured.deliveryLatency.record(latency(since: sent, at: time))
            }
            try PacketWriter.writeDeliverAck(
                into: &outbound, framing: .plain, opaque: packet.header.opaque,
                header: MessageHeaderView(decoding: parts.header), status: true, feedback: "")
        default:
            break
        }
    }

    private func latency(since sent: Int64, at time: Int64) -> UInt64 {
        UInt64(max(1, min(time - sent, BenchFigures.longestLatency)))
    }

    // MARK: Writing

    private func publish() {
        guard isPublishing, let publishing else { return }
        let time = now()
        if let interval = publishing.interval {
            // Each at its time; one that could not be sent then counts from then all the same.
            while nextDue <= time, isPublishing, left > 0 {
                write(time: nextDue)
                nextDue += interval
            }
        } else {
            while outstanding.count < publishing.outstanding, fly?.hasRoom ?? true, isPublishing, left > 0 {
                write(time: time)
            }
        }
        flush()
    }

    private func publishAtItsTime() {
        publish()
        guard isPublishing, left > 0, let context, publishing?.interval != nil else { return }
        context.eventLoop.assumeIsolated().scheduleTask(deadline: .uptimeNanoseconds(UInt64(nextDue))) {
            self.publishAtItsTime()
        }
    }

    private func write(time: Int64) {
        let opaque = nextOpaque
        left -= 1
        fly?.published()
        nextOpaque = opaque == .max ? 1 : opaque + 1
        guard outstanding.insert(opaque, time: time) else {
            isPublishing = false
            return fail(CommandError("the broker is too far behind the rate: give a lower one"))
        }
        packet?.write(
            into: &outbound, opaque: opaque, id: (idPrefix, UInt64(opaque) &* 0x9E37_79B9_7F4A_7C15), time: time)
    }

    private func flush() {
        guard let context, outbound.readableBytes > 0 else { return }
        let buffer = outbound
        outbound = ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    private func now() -> Int64 { Int64(NIODeadline.now().uptimeNanoseconds) }
}
