import Logging
import NIOCore
import NIOPosix

/// Listens, and gives each connection its handler.
struct Server: Sendable {
    let services: SessionServices
    let group: any EventLoopGroup

    /// Listens; the channel's local address says where.
    func bind(host: String, port: Int) async throws -> any Channel {
        let services = self.services
        return try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 16)
            .childChannelOption(
                .writeBufferWaterMark, value: ChannelOptions.Types.WriteBufferWaterMark(low: 256 << 10, high: 1 << 20)
            )
            .childChannelInitializer { channel in
                let peer = channel.remoteAddress.map { "\($0.ipAddress ?? "?"):\($0.port ?? 0)" } ?? "unknown"
                guard services.open.count < services.configuration.maxConnections else {
                    services.refusedConnections.add(1)
                    services.logger.warning(
                        "refusing a connection: there are \(services.configuration.maxConnections) already",
                        metadata: ["peer": "\(peer)"])
                    return channel.close()
                }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ConnectionHandler(services: services, peer: peer))
                }
            }
            .bind(host: host, port: port)
            .get()
    }
}
