import HTTPTypes
import Hummingbird

/// Lets in who may call the routes behind it; nobody's request is read further before.
struct AccessMiddleware: RouterMiddleware {
    let access: AdminAccess
    let role: Role
    let rule: ScopeRule

    func handle(
        _ request: Request, context: AdminContext, next: (Request, AdminContext) async throws -> Response
    ) async throws -> Response {
        let caller = try access.admit(request, from: context.source)
        context.trail?.came(caller)
        try caller.checkRole(role)
        if rule == .whole { try caller.checkIsForAll() }
        var context = context
        context.caller = caller
        return try await next(request, context)
    }
}

/// Keeps browsers that were sent here by a foreign name from what needs no credential.
struct OpenMiddleware: RouterMiddleware {
    let access: AdminAccess

    func handle(
        _ request: Request, context: AdminContext, next: (Request, AdminContext) async throws -> Response
    ) async throws -> Response {
        try access.admitToOpen(request, from: context.source)
        return try await next(request, context)
    }
}

/// Lets in who may see the metrics.
struct MetricsMiddleware: RouterMiddleware {
    let access: AdminAccess

    func handle(
        _ request: Request, context: AdminContext, next: (Request, AdminContext) async throws -> Response
    ) async throws -> Response {
        try access.admitToMetrics(request, from: context.source)
        return try await next(request, context)
    }
}

/// Finds out where a request comes from, before anything else is looked at.
struct SourceMiddleware: RouterMiddleware {
    let access: AdminAccess

    func handle(
        _ request: Request, context: AdminContext, next: (Request, AdminContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.source = RequestSource(request.head, peer: context.peer, proxies: access.policy.proxies)
        return try await next(request, context)
    }
}
