import KiteQCore
import MariaDB

/// The audit log, in the first shard.
extension Shard {
    func appendAudit(_ entry: AuditEntry) async throws -> Int64 {
        let entry = entry.cut
        let values: [MariaDBValue] = [
            .text(entry.actor), .text(entry.role), .text(entry.remote), .text(entry.action), .text(entry.target),
            .text(entry.detail), .text(entry.outcome),
        ]
        return try await run(on: operatorPool) { connection in
            Int64(try connection.execute(OperatorSQL.insertAudit, values).lastInsertID)
        }
    }

    func auditEntries(before id: Int64?, limit: Int) async throws -> [AuditEntry] {
        try await ask { connection, _ in
            try connection.query(OperatorSQL.audit, [.int(id ?? Int64.max), .int(limit)]).map { row in
                AuditEntry(
                    id: try row.int(0), at: try row.int(1), actor: try row.text(2), role: try row.text(3),
                    remote: try row.text(4), action: try row.text(5), target: try row.text(6),
                    detail: try row.text(7), outcome: try row.text(8))
            }
        }
    }
}

extension AuditEntry {
    /// What is too long is cut: an entry is never lost for its length.
    var cut: AuditEntry {
        func text(_ value: String) -> String { value.prefix(bytes: Self.textLimit) }
        return AuditEntry(
            id: id, at: at, actor: text(actor), role: text(role), remote: text(remote), action: text(action),
            target: text(target), detail: detail.utf8.count <= Self.detailLimit ? detail : #"{"cut":true}"#,
            outcome: text(outcome))
    }
}
