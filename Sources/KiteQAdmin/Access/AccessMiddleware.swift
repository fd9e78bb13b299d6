import HTTPTypes
import Hummingbird
import KiteQBroker
import Synchronization

/// Lets in who may call the routes behind it; nobody's request is read further before.
struct AccessMiddleware: RouterMiddleware {
    let access: AdminAccess
    let role: Role

    func handle(
        _ request: Request, context: AdminContext, next: (Request, AdminContext) async throws -> Response
    ) async throws -> Response {
        let caller = try access.admit(request)
        guard caller.role >= role else {
            throw Problem(
                .forbidden, "\(caller.name) has the role \(caller.role.rawValue); this needs \(role.rawValue)")
        }
        var context = context
        context.caller = caller
        return try await next(request, context)
    }
}

/// The access policy in force; a reload replaces it.
package final class AdminAccess: Sendable {
    private let policy: Mutex<AccessPolicy>

    package init(_ policy: AccessPolicy) { self.policy = Mutex(policy) }

    package func set(_ policy: AccessPolicy) { self.policy.withLock { $0 = policy } }

    func admit(_ request: Request) throws(Problem) -> Caller {
        try CrossSiteRule.check(request)
        return try policy.withLock { $0 }.admit(
            authorization: request.headers[.authorization], host: request.head.authority, now: SystemTime.wall())
    }
}
