import NIOCore
import NIOPosix
import Synchronization

/// A TCP proxy in front of a server: it cuts a connection at a COMMIT, before the server has it or before its reply is passed
/// on; cuts all; falls silent, as a network that drops packets, and speaks again; and leads to another server from some moment
/// on.
package final class CuttingProxy: Sendable {
    package enum Cut: Sendable {
        case beforeCommit
        case beforeItsReply
    }

    private struct State {
        var server: Int
        var armed: Cut?
        var cuts = 0
        var isSilent = false
        var listening: (any Channel)?
        /// Both ends of each connection.
        var open: [ObjectIdentifier: any Channel] = [:]
    }

    private let state: Mutex<State>

    package init(server: Int) { state = Mutex(State(server: server)) }

    /// Listens; returns its port.
    package func start() async throws -> Int {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { client in
                ClientBootstrap(group: client.eventLoop)
                    .connect(host: "127.0.0.1", port: self.state.withLock { $0.server })
                    .flatMap { upstream in
                        client.eventLoop.makeCompletedFuture {
                            let cut = ConnectionCut()
                            try client.pipeline.syncOperations.addHandler(
                                Pipe(to: upstream, cut: cut, proxy: self, isUpwards: true))
                            try upstream.pipeline.syncOperations.addHandler(
                                Pipe(to: client, cut: cut, proxy: self, isUpwards: false))
                            try self.keep(client)
                            try self.keep(upstream)
                        }
                    }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        state.withLock { $0.listening = channel }
        return channel.localAddress?.port ?? 0
    }

    package func stop() async throws {
        try await state.withLock { $0.listening }?.close()
        await cutAll()
    }

    private func keep(_ channel: any Channel) throws {
        let id = ObjectIdentifier(channel)
        let isSilent = state.withLock { state in
            state.open[id] = channel
            return state.isSilent
        }
        // It was under way when the silence began.
        if isSilent { try channel.syncOptions?.setOption(ChannelOptions.autoRead, value: false) }
        channel.closeFuture.whenComplete { _ in self.state.withLock { $0.open[id] = nil } }
    }

    // MARK: What it does

    /// The next COMMIT of any connection is cut.
    package func arm(_ cut: Cut) { state.withLock { $0.armed = cut } }

    package var cutCount: Int { state.withLock { $0.cuts } }

    /// New connections lead to the server at this port.
    package func lead(to server: Int) { state.withLock { $0.server = server } }

    /// From now on nothing passes, and new connections are taken and not answered; nobody is told.
    package func fallSilent() async throws { try await read(false) }

    /// What was sent meanwhile is passed on.
    package func speak() async throws { try await read(true) }

    private func read(_ isOn: Bool) async throws {
        let (listening, open) = state.withLock { state in
            state.isSilent = !isOn
            return (state.listening, Array(state.open.values))
        }
        for channel in [listening].compactMap({ $0 }) + open {
            do {
                try await channel.setOption(ChannelOptions.autoRead, value: isOn).get()
            } catch ChannelError.ioOnClosedChannel {
                continue  // It ended meanwhile.
            }
        }
    }

    /// Ends all connections.
    package func cutAll() async {
        for channel in state.withLock({ Array($0.open.values) }) { channel.close(promise: nil) }
        while state.withLock({ !$0.open.isEmpty }) { await Task.yield() }
    }

    fileprivate func take() -> Cut? {
        state.withLock { state in
            defer { state.armed = nil }
            if state.armed != nil { state.cuts += 1 }
            return state.armed
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
