import HTTPTypes
import Hummingbird
import KiteQCore

/// The audit log.
struct AuditRoutes {
    let store: any OperatorStore

    /// Entries that one page looks at for whom not all of them are.
    private static let looked = 500

    func add(to routes: ReadingRoutes) {
        routes.get("audit", for: .read, .within) { request, context in
            var query = try QueryReader(request)
            let limit = try query.limit()
            let before = try query.number("cursor")
            try query.refuseRest()
            let scope = try context.requireCaller().scope
            let rows = scope.isAll ? limit : max(limit, Self.looked)
            let entries = try await store.auditEntries(before: before.map { Int64(clamping: $0) }, limit: rows)
            let found = entries.filter { ActScope.has($0, in: scope) }
            let page = found.prefix(limit)
            // Where not all that was looked at is shown, the next page begins behind the last that is.
            let last = found.count > limit ? page.last : entries.count == rows ? entries.last : nil
            return JSONAnswer(Page(items: page.map(AuditAnswer.init), next: last.map { "\($0.id)" }))
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
