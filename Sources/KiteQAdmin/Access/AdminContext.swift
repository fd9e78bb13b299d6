import Foundation
import HTTPTypes
import Hummingbird
import KiteQBroker
import KiteQCore
import NIOCore

/// What is known of a request beside the request.
struct AdminContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Where it comes from, for the audit log.
    let remote: String
    /// What counts for one address: see `Peer.address`.
    let place: String
    /// Set by ``AccessMiddleware``; no route that needs it runs without.
    var caller: Caller?
    /// Set by ``GroupMiddleware``.
    var group: String?

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        remote = source.channel.remoteAddress?.ipAddress ?? "local"
        place = Peer(source.channel.remoteAddress).address
    }

    /// A part of the path, its percent escapes decoded; nil where there is none or it is no UTF-8.
    func part(_ name: String) -> String? { parameters.get(name)?.removingPercentEncoding }

    /// - Throws: ``Problem`` with 401, where a route was left without its middleware.
    func requireCaller() throws(Problem) -> Caller {
        guard let caller else { throw Problem(.unauthorized, "nobody was let in") }
        return caller
    }
}
