import HTTPTypes
import Hummingbird
import KiteQBroker
import KiteQCore
import Synchronization

/// The access policy in force, which a reload replaces, and what failed under it.
package final class AdminAccess: Sendable {
    private struct State {
        var policy: AccessPolicy
        var attempts = TokenAttempts()
    }

    private let state: Mutex<State>

    package init(_ policy: AccessPolicy) { state = Mutex(State(policy: policy)) }

    package func set(_ policy: AccessPolicy) { state.withLock { $0.policy = policy } }

    var policy: AccessPolicy { state.withLock { $0.policy } }

    /// Who calls.
    /// - Throws: ``Problem`` with 401, 403, or 429 where too many wrong tokens came from the address.
    func admit(_ request: Request, from source: RequestSource) throws(Problem) -> Caller {
        try CrossSiteRule.check(request)
        let authorization = request.headers[.authorization]
        guard let authorization else {
            return try policy.admit(authorization: nil, from: source, now: SystemTime.wall())
        }
        let hash = AccessToken.hash(of: try AccessPolicy.token(authorization))
        let result = state.withLock { state -> Result<Caller, Problem> in
            let now = SystemTime.monotonic()
            if let wait = state.attempts.wait(for: hash, from: source.place, now: now) {
                return .failure(.paused(for: wait, "wrong tokens"))
            }
            let policy = state.policy
            let result = Result { () throws(Problem) in
                try policy.admit(authorization: authorization, from: source, now: SystemTime.wall())
            }
            switch result {
            case .success: state.attempts.succeeded(hash, from: source.place)
            case .failure: state.attempts.failed(from: source.place, now: now)
            }
            return result
        }
        return try result.get()
    }

    /// Whether a route that asks for no credential answers: a program that names no host is no browser, and whoever shows a token may
    /// come by any name.
    /// - Throws: as ``admit(_:from:)``.
    func admitToOpen(_ request: Request, from source: RequestSource) throws(Problem) {
        let policy = self.policy
        if source.hosts.isEmpty || policy.isOwn(source.hosts) { return }
        if request.headers[.authorization] == nil { return try policy.checkHost(source) }
        _ = try admit(request, from: source)
    }

    /// Whether `/metrics` answers. It names all topics and groups, and says how much each of them has: a token for some of them
    /// alone does not see it where one is asked for.
    /// - Throws: as ``admit(_:from:)``.
    func admitToMetrics(_ request: Request, from source: RequestSource) throws(Problem) {
        guard policy.guardsMetrics else { return try admitToOpen(request, from: source) }
        // Whoever is anybody here has shown none.
        guard request.headers[.authorization] != nil else {
            throw .refused(
                .missing, .unauthorized, "a token is needed (admin.metrics = \"token\"): Authorization: Bearer TOKEN")
        }
        try admit(request, from: source).checkIsForAll()
    }
}
