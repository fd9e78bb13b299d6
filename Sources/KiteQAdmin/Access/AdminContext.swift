import Foundation
import HTTPTypes
import Hummingbird
import KiteQBroker
import KiteQCore
import NIOCore

/// What is known of a request beside the request.
struct AdminContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The other end of the connection; nil where it has no address.
    let peer: InternetAddress?
    /// Set by ``SourceMiddleware``, which is before all routes.
    var source: RequestSource
    /// Set by ``AccessMiddleware``; no route that needs it runs without.
    var caller: Caller?
    /// Set by ``GroupMiddleware``.
    var group: String?
    /// Set by ``RefusedActs``, for routes that act.
    var trail: ActTrail?

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        peer = source.channel.remoteAddress?.ipAddress.flatMap { InternetAddress($0) }
        self.source = RequestSource(
            HTTPRequest(method: .get, scheme: nil, authority: nil, path: nil), peer: peer, proxies: TrustedProxies())
    }

    /// A part of the path, its percent escapes decoded; nil where there is none or it is no UTF-8.
    func part(_ name: String) -> String? { parameters.get(name)?.removingPercentEncoding }

    /// - Throws: ``Problem`` with 401, where a route was left without its middleware.
    func requireCaller() throws(Problem) -> Caller {
        guard let caller else { throw Problem(.unauthorized, "nobody was let in") }
        return caller
    }
}
