/// The prepared statements of a connection by their text; the one unused for longest goes first.
struct StatementCache {
    private var statements: [String: (statement: Statement, used: UInt64)] = [:]
    private var clock: UInt64 = 0

    mutating func use(_ sql: String) -> Statement? {
        guard let index = statements.index(forKey: sql) else { return nil }
        clock += 1
        statements.values[index].used = clock
        return statements.values[index].statement
    }

    /// Keeps a statement; returns the one that must be closed for it, if any.
    mutating func insert(_ statement: Statement, limit: Int) -> Statement? {
        clock += 1
        statements[statement.sql] = (statement, clock)
        guard statements.count > max(1, limit), let oldest = statements.min(by: { $0.value.used < $1.value.used })
        else { return nil }
        return statements.removeValue(forKey: oldest.key)?.statement
    }

    mutating func removeAll() -> [Statement] {
        defer { statements = [:] }
        return statements.values.map(\.statement)
    }
}
