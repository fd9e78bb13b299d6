import HTTPTypes
import Hummingbird
import KiteQBroker
import KiteQCore
import Logging

/// All that the administration serves, with who may call it.
///
/// | path | for |
/// | --- | --- |
/// | `/healthz`, `/readyz` | those who reach the address, by a name of the broker's own |
/// | `/metrics` | the same, or those with a token for all topics and groups: `admin.metrics` |
/// | `/`, `/console/` | those who reach the address: files only, all that they show comes from the API |
/// | `/api/v1/…` reading | the role counts, or read; each route says what a token for some topics and groups gets (``ScopeRule``) |
/// | `/api/v1/…` acting | the role operate; likewise |
/// | `/api/v1/publish` and its like | groups with their secrets |
struct AdminRouter {
    let probe: ProbeRoutes
    /// Nil: only the probe, such as for `kiteq bench`.
    let services: AdminServices?
    let memory: RequestMemory
    let refusals: HTTPRefusals
    let tls: AdminTLS
    let logger: Logger

    func make() -> Router<AdminContext> {
        let router = routes()
        OtherMethods.refuse(in: router)
        return router
    }

    /// What there is, without what is said where something else is asked for.
    func routes() -> Router<AdminContext> {
        let router = Router(context: AdminContext.self, options: .autoGenerateHeadEndpoints)
        let access = services?.access ?? AdminAccess(AccessPolicy())
        router.add(middleware: SourceMiddleware(access: access))
        router.add(middleware: ProblemMiddleware(refusals: refusals, tls: tls, logger: logger))
        let open = router.group().add(middleware: OpenMiddleware(access: access))
        probe.add(to: open, metrics: router.group().add(middleware: MetricsMiddleware(access: access)))
        guard let services else { return router }
        ConsoleRoutes().add(to: open)
        DocumentRoutes().add(to: open.group("api/v1"))
        let api = router.group("api/v1")
        addOperators(services, to: api)
        MessagingRoutes(broker: services.broker, memory: memory)
            .add(to: api.group().add(middleware: GroupMiddleware(services: services, memory: memory)))
        return router
    }

    private func addOperators(_ services: AdminServices, to api: RouterGroup<AdminContext>) {
        let reading = ReadingRoutes(routes: api, access: services.access)
        let auditor = Auditor(store: services.store, acts: probe.acts, logger: logger)
        let acting = ActingRoutes(
            routes: api, access: services.access, auditor: auditor, broker: services.broker.identity.name)
        let groups = GroupRoutes(services, auditor)
        let transactions = TransactionRoutes(store: services.store, broker: services.broker, auditor: auditor)
        let deadLetters = DeadLetterRoutes(
            store: services.store, auditor: auditor, time: { [broker = services.broker] in broker.time })
        let broker = BrokerRoutes(services: services, auditor: auditor)

        OverviewRoutes(services).add(to: reading)
        StoreRoutes(services).add(to: reading)
        TopicRoutes(services).add(to: reading)
        MessageRoutes(store: services.store).add(to: reading)
        AuditRoutes(store: services.store).add(to: reading)
        groups.add(toReading: reading)
        transactions.add(toReading: reading)
        deadLetters.add(toReading: reading)
        broker.add(toReading: reading)

        groups.add(toActing: acting)
        transactions.add(toActing: acting)
        deadLetters.add(toActing: acting)
        broker.add(toActing: acting)
    }
}
