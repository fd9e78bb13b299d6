import ArgumentParser
import KiteQBroker
import KiteQCore
import KiteQWire
import NIOCore
import NIOPosix

/// `kiteq bench-echo`: sends each packet back. What a server of this protocol costs at least.
struct EchoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-echo", abstract: "Echo packets, as bench's measure of fly messages.", shouldDisplay: false)

    @Option var bind: String

    func run() async throws {
        guard let address = BrokerAddress(bind) else { throw ValidationError("--bind is host:port") }
        let stop = Latch()
        try await SignalWatch.run(stop) {
            try await withEventLoop { group in
                let channel = try await ServerBootstrap(group: group)
                    .childChannelOption(.maxMessagesPerRead, value: 16)
                    .childChannelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(EchoHandler())
                        }
                    }
                    .bind(host: address.host, port: address.port).get()
                StandardOutput.print("kiteq: echoing at \(bind)")
                await stop.wait()
                try await channel.close()
            }
        }
    }
}

private final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let processor = NIOSingleStepByteToMessageProcessor(
        PacketDecoder(framing: .plain), maximumBufferSize: PacketDecoder.maximumBufferedBytes)
    private var outbound = ByteBuffer()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            try processor.process(buffer: unwrapInboundIn(data)) { packet in
                try PacketWriter.writePacket(
                    into: &self.outbound, framing: .plain, opaque: packet.header.opaque,
                    command: packet.header.command, version: packet.header.version,
                    extension: packet.header.extension, body: packet.body)
            }
        } catch {
            context.fireErrorCaught(error)
            context.close(promise: nil)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard outbound.readableBytes > 0 else { return }
        let buffer = outbound
        outbound = ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }
}
