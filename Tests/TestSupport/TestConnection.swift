package import NIOCore
import NIOPosix
package import NIOSSL

/// A connection to a server on loopback.
package enum TestConnection {
    /// - Parameters:
    ///   - tls: nil: plain text.
    ///   - handler: takes what comes.
    package static func open(
        to host: String = "127.0.0.1", port: Int, tls: NIOSSLContext?,
        _ handler: @escaping @Sendable () -> any ChannelHandler
    ) async throws -> any Channel {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: nil))
                    }
                    try channel.pipeline.syncOperations.addHandler(handler())
                }
            }
            .connect(host: host, port: port).get()
    }
}
