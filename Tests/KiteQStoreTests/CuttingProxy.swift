import NIOCore
import NIOPosix
import Synchronization

/// A TCP proxy in front of a server that can cut a connection at a COMMIT: before the server has it, or before its reply is
/// passed on.
final class CuttingProxy: Sendable {
    enum Cut: Sendable {
        case beforeCommit
        case beforeItsReply
    }

    private let armed = Mutex<Cut?>(nil)
    private let cuts = Mutex(0)
    private let listening = Mutex<(any Channel)?>(nil)
    private let server: Int

    init(server: Int) { self.server = server }

    /// Listens; returns its port.
    func start() async throws -> Int {
        let server = self.server
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { client in
                ClientBootstrap(group: client.eventLoop)
                    .connect(host: "127.0.0.1", port: server)
                    .flatMap { upstream in
                        client.eventLoop.makeCompletedFuture {
                            let cut = ConnectionCut()
                            try client.pipeline.syncOperations.addHandler(
                                Pipe(to: upstream, cut: cut, proxy: self, isUpwards: true))
                            try upstream.pipeline.syncOperations.addHandler(
                                Pipe(to: client, cut: cut, proxy: self, isUpwards: false))
                        }
                    }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        listening.withLock { $0 = channel }
        return channel.localAddress?.port ?? 0
    }

    func stop() async throws { try await listening.withLock { $0 }?.close() }

    /// The next COMMIT of any connection is cut.
    func arm(_ cut: Cut) { armed.withLock { $0 = cut } }

    var cutCount: Int { cuts.withLock { $0 } }

    fileprivate func take() -> Cut? {
        armed.withLock { armed in
            defer { armed = nil }
            if armed != nil { cuts.withLock { $0 += 1 } }
            return armed
        }
    }
}

/// Whether the next reply of a connection is swallowed; both of its pipes are on one event loop.
private final class ConnectionCut: Sendable {
    let swallowsReply = Mutex(false)
}

private final class Pipe: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let other: any Channel
    private let cut: ConnectionCut
    private let proxy: CuttingProxy
    private let isUpwards: Bool

    init(to other: any Channel, cut: ConnectionCut, proxy: CuttingProxy, isUpwards: Bool) {
        self.other = other
        self.cut = cut
        self.proxy = proxy
        self.isUpwards = isUpwards
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        if isUpwards, String(buffer: buffer).hasSuffix("COMMIT") {
            switch proxy.take() {
            case .beforeCommit:
                other.close(promise: nil)
                context.close(promise: nil)
                return
            case .beforeItsReply: cut.swallowsReply.withLock { $0 = true }
            case nil: break
            }
        }
        if !isUpwards, cut.swallowsReply.withLock({ $0 }) {
            other.close(promise: nil)
            context.close(promise: nil)
            return
        }
        other.writeAndFlush(buffer, promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }
}
