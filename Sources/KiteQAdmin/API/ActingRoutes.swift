import Hummingbird

/// The routes that change something: for the role operate, and each act is written down, refused ones too.
struct ActingRoutes {
    private let routes: RouterGroup<AdminContext>
    private let access: AdminAccess
    private let auditor: Auditor
    private let broker: String
    private let rows = RefusedActRows()

    init(routes: RouterGroup<AdminContext>, access: AdminAccess, auditor: Auditor, broker: String) {
        self.routes = routes
        self.access = access
        self.auditor = auditor
        self.broker = broker
    }

    /// - Parameters:
    ///   - action: what the audit log calls it.
    ///   - rule: what a token for some topics and groups may do there.
    func post<Answer: ResponseGenerator>(
        _ path: RouterPath, as action: String, _ rule: ScopeRule,
        _ handler: @escaping @Sendable (Request, AdminContext) async throws -> Answer
    ) {
        routes.group()
            .add(middleware: RefusedActs(action: action, broker: broker, auditor: auditor, rows: rows))
            .add(middleware: AccessMiddleware(access: access, role: .operate, rule: rule))
            .post(path, use: handler)
    }
}
