import Hummingbird

/// The routes that show something: none without the role that it takes, and what a token for some topics and groups gets of it.
struct ReadingRoutes {
    private let routes: RouterGroup<AdminContext>
    private let access: AdminAccess

    init(routes: RouterGroup<AdminContext>, access: AdminAccess) {
        self.routes = routes
        self.access = access
    }

    func get<Answer: ResponseGenerator>(
        _ path: RouterPath, for role: Role, _ rule: ScopeRule,
        _ handler: @escaping @Sendable (Request, AdminContext) async throws -> Answer
    ) {
        group(role, rule).get(path, use: handler)
    }

    /// For a question that does not fit into an address.
    func post<Answer: ResponseGenerator>(
        _ path: RouterPath, for role: Role, _ rule: ScopeRule,
        _ handler: @escaping @Sendable (Request, AdminContext) async throws -> Answer
    ) {
        group(role, rule).post(path, use: handler)
    }

    private func group(_ role: Role, _ rule: ScopeRule) -> RouterGroup<AdminContext> {
        routes.group().add(middleware: AccessMiddleware(access: access, role: role, rule: rule))
    }
}
