import NIOCore
import NIOPosix
import Synchronization

/// A TCP proxy in front of a server, which can lose connections or packets.
package final class FaultProxy: Sendable {
    private enum Mode: Sendable {
        case passing
        /// No connection is kept or taken.
        case cut
        /// Connections stay, and new ones are taken, but nothing goes through.
        case silent
        /// Connections stay, but nothing goes through, and no new one is taken.
        case isolated
    }

    private struct State {
        var mode = Mode.passing
        var listening: (any Channel)?
        var open: [ObjectIdentifier: any Channel] = [:]
    }

    private let server: Int
    private let delay: TimeAmount
    private let state = Mutex(State())

    /// - Parameters:
    ///   - server: its port on 127.0.0.1.
    ///   - delay: how much longer what clients send is on its way.
    package init(server: Int, delay: Duration = .zero) {
        self.server = server
        self.delay = TimeAmount(delay)
    }

    /// Listens; returns its port.
    package func start() async throws -> Int {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { client in self.accept(client) }
            .bind(host: "127.0.0.1", port: 0).get()
        state.withLock { $0.listening = channel }
        return channel.localAddress?.port ?? 0
    }

    package func stop() async throws {
        cut()
        try await state.withLock { $0.listening }?.close()
    }

    /// Closes all connections, and takes none until `pass`.
    package func cut() {
        for channel in change(to: .cut) { channel.close(promise: nil) }
    }

    /// Closes the connections of now, and returns when they are closed; new ones are taken meanwhile.
    package func reset() async throws {
        let channels = state.withLock { Array($0.open.values) }
        for channel in channels { channel.close(promise: nil) }
        for channel in channels { try await channel.closeFuture.get() }
    }

    /// Lets nothing through until `pass`, and closes nothing.
    package func silence() { setReading(false, of: change(to: .silent)) }

    /// Lets nothing through until `pass`, closes nothing, and takes no new connection: what a network does that has come apart.
    package func isolate() { setReading(false, of: change(to: .isolated)) }

    package func pass() { setReading(true, of: change(to: .passing)) }

    private func change(to mode: Mode) -> [any Channel] {
        state.withLock { state in
            state.mode = mode
            return Array(state.open.values)
        }
    }

    private func setReading(_ isReading: Bool, of channels: [any Channel]) {
        for channel in channels { _ = channel.setOption(.autoRead, value: isReading) }
    }

    private func accept(_ client: any Channel) -> EventLoopFuture<Void> {
        switch state.withLock({ $0.mode }) {
        case .cut, .isolated: client.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
        case .silent:
            // Its packets are lost; after that time it is too late for it.
            client.eventLoop.makeSucceededFuture(keep(client))
        case .passing:
            ClientBootstrap(group: client.eventLoop)
                .channelOption(.autoRead, value: false)
                .channelOption(.socketOption(.tcp_nodelay), value: 1)
                .connect(host: "127.0.0.1", port: server)
                .flatMap { upstream in
                    client.eventLoop.makeCompletedFuture {
                        try client.pipeline.syncOperations.addHandler(Pipe(to: upstream, delay: self.delay))
                        try upstream.pipeline.syncOperations.addHandler(Pipe(to: client))
                        self.keep(client)
                        self.keep(upstream)
                        if self.state.withLock({ $0.mode == .passing }) {
                            self.setReading(true, of: [client, upstream])
                        }
                    }
                }
        }
    }

    private func keep(_ channel: any Channel) {
        let key = ObjectIdentifier(channel)
        let isCut = state.withLock { state in
            state.open[key] = channel
            return state.mode == .cut
        }
        channel.closeFuture.whenComplete { _ in self.state.withLock { _ = $0.open.removeValue(forKey: key) } }
        if isCut { channel.close(promise: nil) }
    }
}

/// Passes on to the other side what it reads, and its end.
private final class Pipe: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let other: any Channel
    private let delay: TimeAmount

    init(to other: any Channel, delay: TimeAmount = .zero) {
        self.other = other
        self.delay = delay
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let (bytes, other) = (unwrapInboundIn(data), other)
        guard delay > .zero else { return other.write(bytes, promise: nil) }
        // Both are on one loop, where what is due first comes first.
        context.eventLoop.scheduleTask(in: delay) { other.writeAndFlush(bytes, promise: nil) }
    }

    func channelReadComplete(context: ChannelHandlerContext) { if delay == .zero { other.flush() } }
    func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
