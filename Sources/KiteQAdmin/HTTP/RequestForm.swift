import NIOCore
import NIOHTTP1

/// Puts into a request's headers what its HTTP types leave out, and the rules on where it comes from need.
///
/// - A target with a scheme and a host (`GET http://NAME/path`) names the broker, too, and for HTTP more than `Host` does: the name
///   becomes one more `Host`.
/// - HTTP/1.0 is what proxies speak that were told nothing else, nginx among them, and that say nothing of themselves: as a proxy
///   would that spoke 1.1 (RFC 9110, 7.6.3), it gets a `Via`.
final class RequestForm: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        if let host = Self.host(ofTarget: head.uri) { head.headers.add(name: "Host", value: host) }
        if (head.version.major, head.version.minor) < (1, 1) {
            head.headers.add(name: "Via", value: "\(head.version.major).\(head.version.minor) client")
        }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    /// Nil where the target is a path.
    static func host(ofTarget target: String) -> String? {
        // By bytes: to Swift a slash with an accent behind it is another character, and no slash.
        let target = target.utf8
        guard target.first != UInt8(ascii: "/"), let scheme = target.firstRange(of: "://".utf8) else { return nil }
        return String(Substring(target[scheme.upperBound...].prefix { !"/?#".utf8.contains($0) }))
    }
}
