import Logging
import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Listens, and gives each connection its handler.
struct Server: Sendable {
    let services: SessionServices
    let group: any EventLoopGroup

    /// The largest segment of a connection over loopback. There it would be as long as 65,483 bytes, and a client whose receive
    /// buffer holds less (KiteQ's Go client: 16 KiB) is sent a fraction of one at each of the kernel's timeouts: a hundred
    /// messages a second. No other network has segments of this size, so nothing else changes.
    static let segmentBytes = 16 << 10

    /// Listens; the channel's local address says where.
    func bind(host: String, port: Int) async throws -> any Channel {
        let services = self.services
        return try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(
                ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: TCP_MAXSEG)),
                value: Self.segmentBytes
            )
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 16)
            .childChannelOption(
                .writeBufferWaterMark, value: ChannelOptions.Types.WriteBufferWaterMark(low: 256 << 10, high: 1 << 20)
            )
            .childChannelInitializer { channel in
                let (peer, settings) = (Peer(channel.remoteAddress), services.settings)
                if let refusal = services.admissions.enter(peer, settings) {
                    services.refusals.refuse(refusal.kind, peer, refusal.why)
                    return channel.close()
                }
                channel.closeFuture.whenComplete { _ in services.admissions.leave(peer) }
                return channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls = settings.tls {
                        try pipeline.addHandler(TLSGate(tls, refusals: services.refusals, peer: peer))
                    }
                    try pipeline.addHandler(ConnectionHandler(services: services, peer: peer))
                }
            }
            .bind(host: host, port: port)
            .get()
    }
}
