import NIOCore
import NIOHTTP1

/// Makes one piece of all pieces of a body that one read gave. In chunks of a byte each of them would be kept as an object of its own,
/// many times as large as what it holds, until somebody reads the body.
final class BodyPieces: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    /// Of a connection, at a time.
    static let readBytes = 16 << 10

    private var piece = ByteBuffer()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .body(let body) = unwrapInboundIn(data) else {
            pass(context)
            return context.fireChannelRead(data)
        }
        piece.writeImmutableBuffer(body)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        pass(context)
        context.fireChannelReadComplete()
    }

    private func pass(_ context: ChannelHandlerContext) {
        guard piece.readableBytes > 0 else { return }
        let whole = piece
        piece = ByteBuffer()
        context.fireChannelRead(wrapInboundOut(.body(whole)))
    }
}
