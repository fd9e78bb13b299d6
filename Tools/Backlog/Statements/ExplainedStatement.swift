/// A statement of the store with values for its placeholders.
struct ExplainedStatement: Sendable {
    let worker: String
    let name: String
    /// Rows that it is asked for, at most.
    let page: Int
    private let sql: String
    private let values: [String]

    init(_ worker: String, _ name: String, _ sql: String, _ values: [String], page: Int) {
        self.worker = worker
        self.name = name
        self.page = page
        self.sql = sql
        self.values = values
    }

    /// Rows that it may read: a join reads two for one, an UPDATE finds a row and reads it, and some are read to see the end.
    var allowance: Int { 3 * page + 20 }

    /// EXPLAIN wants values, not placeholders.
    var text: String {
        get throws {
            let parts = SQL.list(sql, 64).split(separator: "?", omittingEmptySubsequences: false)
            guard parts.count == values.count + 1 else {
                throw BacklogError("\(name) has \(parts.count - 1) placeholders, not \(values.count)")
            }
            return zip(parts, values).map { $0 + $1 }.joined() + parts[parts.count - 1]
        }
    }
}
