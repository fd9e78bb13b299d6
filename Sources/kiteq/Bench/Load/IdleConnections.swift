import KiteQCore
import KiteQWire
import NIOCore
import NIOPosix

/// Connections of consumers that were let in and say nothing more.
struct IdleConnections: Sendable {
    /// Opens them, runs `body`, and closes them.
    /// - Parameter group: that of each, by its number.
    /// - Throws: also where the broker closed one of them meanwhile.
    static func with<Result: Sendable>(
        _ count: Int, to address: BrokerAddress,
        group name: @escaping @Sendable (Int) -> String = { _ in BenchBroker.consumers },
        _ body: () async throws -> Result
    ) async throws -> Result {
        try await withEventLoop { eventLoop in
            var channels: [any Channel] = []
            // Some at a time: a server's queue of connections that it has not accepted is short.
            while channels.count < count {
                let (more, first) = (min(100, count - channels.count), channels.count)
                channels += try await withThrowingTaskGroup(of: (any Channel).self) { tasks in
                    for number in first..<first + more {
                        tasks.addTask { try await connect(to: address, as: name(number), on: eventLoop) }
                    }
                    return try await tasks.reduce(into: []) { $0.append($1) }
                }
            }
            let result = try await body()
            guard channels.allSatisfy(\.isActive) else { throw CommandError("the broker closed an idle connection") }
            for channel in channels { channel.close(promise: nil) }
            for channel in channels { try await channel.closeFuture.get() }
            return result
        }
    }

    private static func connect(
        to address: BrokerAddress, as name: String, on eventLoops: any EventLoopGroup
    ) async throws -> any Channel {
        let greeted = eventLoops.next().makePromise(of: Void.self)
        let channel = try await ClientBootstrap(group: eventLoops)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(IdleHandler(name, greeted))
                }
            }
            .connect(host: address.host, port: address.port).get()
        try await greeted.futureResult.get()
        return channel
    }
}

private final class IdleHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let group: String
    private let greeted: EventLoopPromise<Void>
    private let processor = NIOSingleStepByteToMessageProcessor(PacketDecoder(framing: .plain))

    init(_ group: String, _ greeted: EventLoopPromise<Void>) {
        self.group = group
        self.greeted = greeted
    }

    func channelActive(context: ChannelHandlerContext) {
        var buffer = ByteBuffer()
        do {
            try PacketWriter.writeConnMeta(
                into: &buffer, framing: .plain, opaque: 0,
                ConnMeta(groupID: group, secretKey: "", warmingUpSeconds: 0))
            context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        } catch {
            greeted.fail(error)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            try processor.process(buffer: unwrapInboundIn(data)) { packet in
                guard packet.header.command == .connAuth else { return }
                let ack = try ConnAuthAck(decoding: packet.body)
                guard ack.status else { throw CommandError("the broker refused a connection: \(ack.feedback)") }
                self.greeted.succeed()
            }
        } catch {
            greeted.fail(error)
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        greeted.fail(CommandError("the broker closed an idle connection"))
    }
}
