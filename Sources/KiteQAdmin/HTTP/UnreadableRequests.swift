import HTTPTypes
import KiteQBroker
import KiteQCore
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOSSL

/// What cannot be read as HTTP is answered with a ``Problem``, too: no router sees it, and Hummingbird's answer has no body.
final class UnreadableRequests: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limits: AdminLimits
    private let refusals: HTTPRefusals
    private var problem: Problem?

    init(_ limits: AdminLimits, refusals: HTTPRefusals) {
        self.limits = limits
        self.refusals = refusals
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let peer = Peer(context.channel.remoteAddress)
        switch error {
        case let error as HTTPParserError:
            let problem = Self.problem(for: error, limits)
            self.problem = problem
            refusals.refuse(.unreadable, place: peer.address, remote: peer.description, problem.detail)
        case let error as NIOSSLError where error != .uncleanShutdown:
            refusals.refuse(
                .tls, place: peer.address, remote: peer.description,
                "its TLS handshake failed: \(TLSReason.clause("\(error)"))")
        default: break
        }
        context.fireErrorCaught(error)
    }

    /// Requests before it on this connection are answered first, so its answer is the one that has no body.
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard let problem, case .head(var head) = unwrapOutboundIn(data), head.status == .badRequest,
            head.headerFields[.contentLength] == "0"
        else {
            context.write(data, promise: promise)
            return
        }
        do {
            let body = try JSONText.encode(problem)
            head.status = problem.status
            head.headerFields[.contentType] = "application/problem+json"
            head.headerFields[.contentLength] = "\(body.readableBytes)"
            SecurityHeaders.add(to: &head.headerFields)
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(body)), promise: promise)
        } catch {
            context.write(data, promise: promise)
        }
    }

    static func problem(for error: HTTPParserError, _ limits: AdminLimits) -> Problem {
        switch error {
        case .headerOverflow:
            Problem(
                .requestHeaderFieldsTooLarge,
                "the address and each header may have \(limits.headerBytes) bytes, all headers together \(limits.allHeaderBytes) "
                    + "and \(limits.headers) fields")
        default: Problem(.badRequest, "this is no request of HTTP/1.1")
        }
    }
}
