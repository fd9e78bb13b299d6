import HTTPTypes
import Hummingbird
import KiteQCore
import NIOCore

/// What is known of a request beside the request.
struct AdminContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Where it comes from, for the audit log.
    let remote: String
    /// Set by ``AccessMiddleware``; no route that needs it runs without.
    var caller: Caller?
    /// Set by ``GroupMiddleware``.
    var group: String?

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        remote = source.channel.remoteAddress?.ipAddress ?? "local"
    }

    /// - Throws: ``Problem`` with 401, where a route was left without its middleware.
    func requireCaller() throws(Problem) -> Caller {
        guard let caller else { throw Problem(.unauthorized, "nobody was let in") }
        return caller
    }
}
