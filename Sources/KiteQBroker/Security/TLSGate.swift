import Logging
import NIOCore
import NIOSSL

/// Tells from a connection's first bytes whether the client speaks TLS, and goes.
///
/// A TLS client begins with a handshake record that holds a ClientHello: bytes 0 and 1 are 0x16 0x03, byte 5 is 1. A first
/// packet is CONN_META, whose byte 5 is the high half of a version (0), or in the other framing whose byte 0 is that of a
/// length below 17 MiB (0): neither can be taken for the other.
final class TLSGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let tls: ServerTLS
    private let refusals: Refusals
    private let peer: Peer
    private var first = ByteBuffer()
    private static let needed = 6

    init(_ tls: ServerTLS, refusals: Refusals, peer: Peer) {
        self.tls = tls
        self.refusals = refusals
        self.peer = peer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        first.writeImmutableBuffer(unwrapInboundIn(data))
        // Three bytes are enough to know that it is not.
        let begin = first.readableBytesView.prefix(Self.needed)
        let mayBe = zip(begin, [0x16, 0x03]).allSatisfy { $0.0 == $0.1 }
        if mayBe && begin.count < Self.needed { return }
        let isTLS = mayBe && begin.last == 1
        if !isTLS && tls.mode == .required {
            refusals.refuse(
                .plainText, peer, "it speaks plain text, and broker.tls is required: give the client a CA to trust")
            return context.close(promise: nil)
        }
        let buffer = first
        first = ByteBuffer()
        do {
            if isTLS {
                try context.pipeline.syncOperations.addHandler(
                    NIOSSLServerHandler(context: tls.context), position: .after(self))
            }
            context.fireChannelRead(wrapInboundOut(buffer))
            context.fireChannelReadComplete()
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        } catch {
            context.fireErrorCaught(error)
        }
    }
}
