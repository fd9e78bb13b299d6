import NIOCore
import NIOPosix
import Synchronization

@testable import KiteQRegistry

/// A TCP proxy in front of a server that can drop all that comes, both ways, without closing anything: what a network does
/// that lost a route.
final class SilencingProxy: Sendable {
    private struct State {
        var isSilent = false
        var clients: [ObjectIdentifier: any Channel] = [:]
        var listening: (any Channel)?
    }

    private let state = Mutex(State())
    private let server: Int

    init(server: Int) { self.server = server }

    /// Runs a body with a proxy and the port that it listens on.
    static func with(server: Int, _ body: (SilencingProxy, Int) async throws -> Void) async throws {
        let proxy = SilencingProxy(server: server)
        let port = try await proxy.start()
        do {
            try await body(proxy, port)
        } catch {
            try await proxy.stop()
            throw error
        }
        try await proxy.stop()
    }

    private func start() async throws -> Int {
        let listening = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { [self] client in
                state.withLock { $0.clients[ObjectIdentifier(client)] = client }
                client.closeFuture.whenComplete { [self] _ in
                    state.withLock { $0.clients[ObjectIdentifier(client)] = nil }
                }
                return ClientBootstrap(group: client.eventLoop)
                    .connect(host: "127.0.0.1", port: server)
                    .flatMap { [self] upstream in
                        client.eventLoop.makeCompletedFuture {
                            try client.pipeline.syncOperations.addHandler(Pipe(to: upstream, proxy: self))
                            try upstream.pipeline.syncOperations.addHandler(Pipe(to: client, proxy: self))
                        }
                    }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        state.withLock { $0.listening = listening }
        return listening.localAddress?.port ?? 0
    }

    private func stop() async throws {
        heal()
        try await state.withLock { $0.listening }?.close()
    }

    fileprivate var isSilent: Bool { state.withLock { $0.isSilent } }

    func silence() { state.withLock { $0.isSilent = true } }

    /// Passes on again; connections that bytes are missing from are cut.
    func heal() {
        let clients = state.withLock { state in
            state.isSilent = false
            return Array(state.clients.values)
        }
        for client in clients { client.close(promise: nil) }
    }
}

private final class Pipe: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let other: any Channel
    private let proxy: SilencingProxy

    init(to other: any Channel, proxy: SilencingProxy) {
        self.other = other
        self.proxy = proxy
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if !proxy.isSilent { other.writeAndFlush(unwrapInboundIn(data), promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        // A server that gave a connection up says so, which a silent network would not pass on.
        if !proxy.isSilent { other.close(promise: nil) }
    }
}
