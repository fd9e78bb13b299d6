import KiteQBroker
import NIOCore
import NIOSSL
import NIOTLS

/// Ends a connection whose client's certificate was revoked: after the handshake, before anything of it is read; and, where a
/// reload brings the list that has it, with its next request or answer.
///
/// It sits behind the TLS handler. With TLS 1.3 the client may have sent its request already; nobody reads it.
final class RevocationGate: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let tls: AdminTLS
    private let refusals: HTTPRefusals
    /// What the client showed, in DER; nil where it showed nothing, or before it could.
    private var certificate: [UInt8]?
    /// The list in which it was looked up.
    private var looked: RevocationList?
    private var isEnding = false

    init(_ tls: AdminTLS, _ refusals: HTTPRefusals) {
        self.tls = tls
        self.refusals = refusals
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent {
            do {
                let handler = try context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self)
                certificate = try handler.peerCertificate?.toDERBytes()
            } catch {
                // A certificate that cannot be read cannot be looked up either.
                return end(context, "its certificate cannot be read")
            }
            guard !ends(context) else { return }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !ends(context) else { return }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !ends(context) else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        context.write(data, promise: promise)
    }

    /// Whether nothing more is taken and sent.
    private func ends(_ context: ChannelHandlerContext) -> Bool {
        guard !isEnding, let certificate, let list = tls.revocations, list !== looked else { return isEnding }
        looked = list
        if list.revokes(certificate) { end(context, "its certificate is revoked (admin.tls_client_crl)") }
        return isEnding
    }

    private func end(_ context: ChannelHandlerContext, _ why: String) {
        isEnding = true
        let peer = Peer(context.channel.remoteAddress)
        refusals.refuse(.tls, place: peer.address, remote: peer.description, why)
        context.close(promise: nil)
    }
}
