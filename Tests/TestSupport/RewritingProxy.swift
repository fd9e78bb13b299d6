import NIOCore
import NIOPosix

/// A TCP proxy that replaces words in what a server says by others of the same length: the server as another product.
package final class RewritingProxy: Sendable {
    package let port: Int
    private let listening: any Channel

    private init(_ listening: any Channel) {
        self.listening = listening
        port = listening.localAddress?.port ?? 0
    }

    /// Listens until `stop`.
    /// - Parameter words: what is replaced, and by what; each pair of one length, each within one packet.
    package static func start(server: Int, replacing words: [(String, String)]) async throws -> RewritingProxy {
        let replacements = words.map { (Array($0.0.utf8), Array($0.1.utf8)) }
        precondition(replacements.allSatisfy { $0.0.count == $0.1.count }, "the length is in the packets")
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { client in
                ClientBootstrap(group: client.eventLoop).connect(host: "127.0.0.1", port: server).flatMap { upstream in
                    client.eventLoop.makeCompletedFuture {
                        try client.pipeline.syncOperations.addHandler(Pipe(to: upstream, replacing: []))
                        try upstream.pipeline.syncOperations.addHandler(Pipe(to: client, replacing: replacements))
                    }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return RewritingProxy(channel)
    }

    package func stop() async throws { try await listening.close() }

    private final class Pipe: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let other: any Channel
        private let replacements: [([UInt8], [UInt8])]

        init(to other: any Channel, replacing replacements: [([UInt8], [UInt8])]) {
            self.other = other
            self.replacements = replacements
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = Array(unwrapInboundIn(data).readableBytesView)
            for (old, new) in replacements { bytes.replace(old, with: new) }
            other.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }
    }
}
