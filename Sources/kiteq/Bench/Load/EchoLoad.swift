import KiteQCore
import KiteQWire
import LocalServers
import NIOCore
import NIOPosix

/// Packets of the load's form that come back as they are, so many on their way on each connection.
struct EchoLoad: Sendable {
    var connections: Int
    var outstanding: Int
    var size: Int
    var duration: Duration
    var usage: @Sendable () throws -> ProcessUsage

    func run(against address: BrokerAddress) async throws -> BenchFigures {
        try await withEventLoop { group in
            var clients: [(channel: any Channel, handler: NIOLoopBound<EchoClientHandler>)] = []
            for _ in 0..<connections {
                let channel = try await ClientBootstrap(group: group)
                    .channelOption(.socketOption(.tcp_nodelay), value: 1)
                    .channelOption(.maxMessagesPerRead, value: 16)
                    .channelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(
                                EchoClientHandler(size: size, outstanding: outstanding))
                        }
                    }
                    .connect(host: address.host, port: address.port).get()
                let handler = try await channel.eventLoop.submit {
                    NIOLoopBound(
                        try channel.pipeline.syncOperations.handler(type: EchoClientHandler.self),
                        eventLoop: channel.eventLoop)
                }.get()
                clients.append((channel, handler))
            }
            func echoed() async throws -> Int {
                var sum = 0
                for (channel, handler) in clients {
                    sum += try await channel.eventLoop.submit { handler.value.echoed }.get()
                }
                return sum
            }
            try await Task.sleep(for: .seconds(1))
            let (start, before, usageBefore) = (ContinuousClock.now, try await echoed(), try usage())
            try await Task.sleep(for: duration)
            let (count, usageAfter) = (try await echoed() - before, try usage())
            let elapsed = ContinuousClock.now - start
            guard count > 0 else { throw CommandError("no packet was echoed") }
            for (channel, _) in clients { try await channel.close() }
            return BenchFigures(
                packets: count, seconds: elapsed / .seconds(1), cpu: usageAfter.cpu - usageBefore.cpu)
        }
    }
}

/// Sends a packet for each that comes back.
private final class EchoClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private(set) var echoed = 0
    private let outstanding: Int
    private var packet: BenchPacket
    private var outbound = ByteBuffer()
    private let processor = NIOSingleStepByteToMessageProcessor(
        PacketDecoder(framing: .plain), maximumBufferSize: PacketDecoder.maximumBufferedBytes)

    init(size: Int, outstanding: Int) throws {
        self.outstanding = outstanding
        packet = try BenchPacket(
            topic: BenchBroker.topic, messageType: BenchBroker.deliveredType, group: "p-bench", size: size, isFly: true)
    }

    func channelActive(context: ChannelHandlerContext) {
        for _ in 0..<outstanding { send() }
        flush(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            try processor.process(buffer: unwrapInboundIn(data)) { _ in
                self.echoed += 1
                self.send()
            }
        } catch {
            context.close(promise: nil)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { flush(context) }

    private func send() { packet.write(into: &outbound, opaque: 1, id: (1, 1), time: 1) }

    private func flush(_ context: ChannelHandlerContext) {
        guard outbound.readableBytes > 0 else { return }
        let buffer = outbound
        outbound = ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }
}
