import HTTPTypes
import Hummingbird
import KiteQCore

/// The audit log.
struct AuditRoutes {
    let store: any OperatorStore

    func add(to routes: RouterGroup<AdminContext>) {
        routes.get("audit") { request, _ in
            var query = try QueryReader(request)
            let limit = try query.limit()
            let before = try query.number("cursor")
            try query.refuseRest()
            let entries = try await store.auditEntries(before: before.map { Int64(clamping: $0) }, limit: limit)
            return JSONAnswer(
                Page(
                    items: entries.map(AuditAnswer.init),
                    next: entries.count == limit ? entries.last.map { "\($0.id)" } : nil))
        }
    }
}

struct AuditAnswer: Encodable, Sendable {
    var id: String
    var at: Time
    var actor: String
    var role: String
    var remote: String
    var action: String
    var target: String
    var detail: String
    var outcome: String

    init(_ entry: AuditEntry) {
        id = "\(entry.id)"
        at = entry.at.time
        actor = entry.actor
        role = entry.role
        remote = entry.remote
        action = entry.action
        target = entry.target
        detail = entry.detail
        outcome = entry.outcome
    }
}
