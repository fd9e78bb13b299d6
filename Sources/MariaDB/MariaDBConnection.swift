import CMariaDB

/// One connection to a server, on a thread of its own.
///
/// Its operations are synchronous inside the actor: a caller hops to the connection once (`MariaDBPool.withConnection`), and
/// runs a whole transaction there without a further hop. They block that thread for at most the configured times.
///
/// After an error with `isConnectionLost` it is of no use; the pool throws it away.
public actor MariaDBConnection {
    private let executor: ConnectionExecutor
    private let configuration: MariaDBConfiguration
    /// Nil before it is connected, and after it is closed.
    private var open: Session?
    private var statements = StatementCache()
    /// The pool's number of it.
    public let id: Int
    public private(set) var server = MariaDBServer("")
    /// Which connection this is, to its server.
    public private(set) var thread = MariaDBThread(id: 0, serverIdentity: "", since: .now)
    /// Where the server was found.
    private(set) var address: MariaDBConfiguration.Server?

    /// The server's number of this connection, as `KILL` and `SHOW PROCESSLIST` have it.
    public var threadID: UInt64 { thread.id }
    /// Which server this is: all connections of a pool must have the same.
    public var serverIdentity: String { thread.serverIdentity }

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Not connected yet: call `connect()`.
    /// - Throws: `MariaDBError` where no thread could be made for it.
    init(id: Int, configuration: MariaDBConfiguration) throws {
        self.id = id
        self.configuration = configuration
        executor = try ConnectionExecutor()
    }

    // MARK: Life

    /// Connects to a server of the configuration that takes writes; where there is none, to one that answers, or to none.
    /// - Parameter preferred: the address to try first.
    func connect(preferring preferred: MariaDBConfiguration.Server? = nil) throws {
        _ = Connector.initialized
        let session = try Session.open(configuration, preferring: preferred)
        open = session
        (server, thread, address) = (session.server, session.thread, session.address)
    }

    func close() {
        for statement in statements.removeAll() { statement.close() }
        open = nil
    }

    /// Asks the server whether it is there; it has the connect timeout to answer, like a new connection.
    public func ping() throws { try ping(within: configuration.connectTimeout) }

    /// - Parameter limit: to answer, where that is less.
    func ping(within limit: Duration) throws {
        try session().ping(within: min(limit, configuration.connectTimeout))
    }

    /// Whether the server takes no writes any more, be it of users that are above it: a primary that was demoted.
    public func isServerReadOnly() throws -> Bool { try session().isReadOnly() }

    /// What can be done with a connection after it was used.
    enum Condition: Sendable {
        case usable
        /// Usable, but the server takes no writes.
        case refusesWrites
        /// Lost, or left with an open transaction.
        case broken
    }

    /// Runs `body` here, and says in what condition it leaves the connection.
    func perform<Result: Sendable>(
        _ body: @Sendable (isolated MariaDBConnection) throws -> Result
    ) -> (outcome: Swift.Result<Result, any Error>, condition: Condition) {
        let outcome = Swift.Result { try body(self) }
        guard let open, !open.isBroken, !open.isInTransaction else { return (outcome, .broken) }
        defer { open.hasRefusedWrites = false }
        return (outcome, open.hasRefusedWrites ? .refusesWrites : .usable)
    }

    // MARK: Statements

    /// Runs a statement through the text protocol: BEGIN, SET, DDL. Text from users has no place here.
    public func simple(_ sql: String) throws { try session().simple(sql) }

    /// The rows of a statement through the text protocol; every value is text or NULL.
    public func simpleRows(_ sql: String) throws -> [MariaDBRow] { try session().rows(sql) }

    /// Runs a prepared statement that returns no rows.
    @discardableResult
    public func execute(_ sql: String, _ parameters: [MariaDBValue] = []) throws -> MariaDBResult {
        try withStatement(sql, isWrite: true) { statement in
            try statement.execute(parameters)
            return statement.result
        }
    }

    /// Runs a prepared statement, and returns all its rows.
    public func query(_ sql: String, _ parameters: [MariaDBValue] = []) throws -> [MariaDBRow] {
        try withStatement(sql) { statement in
            try statement.execute(parameters)
            return try statement.rows()
        }
    }

    /// Inserts the rows of a batch: array binding on MariaDB, prepared statements of many rows on MySQL.
    ///
    /// It may take several statements, and under autocommit a row that fails in the middle leaves those before it: where all
    /// or nothing is wanted, run it in a transaction.
    /// - Parameters:
    ///   - head: the statement up to the values: `INSERT INTO t (a, b)`.
    ///   - tail: what follows the values.
    public func insert(into head: String, _ batch: MariaDBBatch, tail: String = "") throws {
        precondition(batch.isWhole, "the last row of the batch lacks values")
        let row = "(" + Array(repeating: "?", count: batch.kinds.count).joined(separator: ",") + ")"
        if server.kind == .mariaDB && batch.count > 1 && tail.isEmpty {
            return try withStatement("\(head) VALUES \(row)", isWrite: true) {
                try $0.executeArray(batch, from: 0, rows: batch.count)
            }
        }
        var start = 0
        for rows in Ladder.steps where rows * batch.kinds.count <= 65_535 {
            while batch.count - start >= rows {
                let values = Array(repeating: row, count: rows).joined(separator: ",")
                let sql = tail.isEmpty ? "\(head) VALUES \(values)" : "\(head) VALUES \(values) \(tail)"
                try withStatement(sql, isWrite: true) { try $0.execute(batch, from: start, rows: rows) }
                start += rows
            }
        }
    }

    private func withStatement<Result>(
        _ sql: String, isWrite: Bool = false, _ body: (Statement) throws -> Result
    ) throws -> Result {
        let session = try session()
        // A statement outside of a transaction commits itself.
        let isAutocommit = !session.isInTransaction
        do {
            let statement: Statement
            if let cached = statements.use(sql) {
                statement = cached
            } else {
                statement = try Statement(sql, on: session.mysql)
                statements.insert(statement, limit: configuration.statementCacheSize)?.close()
            }
            let result = try body(statement)
            try statement.drain()
            return result
        } catch let error as MariaDBError {
            var error = session.failed(error)
            error.isCommitOutcomeUnknown = isWrite && isAutocommit && error.isConnectionLost
            throw error
        }
    }

    // MARK: Transactions

    public func begin() throws { try simple("BEGIN") }

    /// - Throws: `MariaDBError` with `isCommitOutcomeUnknown` where the connection was lost before the reply came, or where
    ///   the server itself does not say: 1180 is also what a Galera node answers that lost its cluster while others certified
    ///   the write set. A conflict (`isDeadlock`) and a transaction that is too large were rolled back.
    public func commit() throws {
        do {
            try simple("COMMIT")
        } catch var error as MariaDBError {
            error.isCommitOutcomeUnknown = error.isConnectionLost || error.code == 1180 && !error.isTooLarge
            throw error
        }
    }

    public func rollback() throws { try simple("ROLLBACK") }

    /// Runs `body` between BEGIN and COMMIT; rolls back where it throws.
    public func transaction<Result>(_ body: () throws -> Result) throws -> Result {
        try begin()
        do {
            let result = try body()
            try commit()
            return result
        } catch {
            // Its own error is not the caller's: a connection that cannot even roll back is thrown away.
            if let open, !open.isBroken {
                do { try rollback() } catch { open.isBroken = true }
            }
            throw error
        }
    }

    private func session() throws -> Session {
        guard let open, !open.isBroken else {
            throw MariaDBError(code: 2006, message: "the connection to the server is closed")
        }
        return open
    }
}

/// How many rows, or values of a list, the statements of one text have: few texts serve all sizes.
public enum Ladder {
    public static let steps = [256, 64, 16, 4, 1]

    /// Values of one list: of 1,000 and more MariaDB makes a table to join with, and reads all of the other table for it
    /// (`in_predicate_conversion_threshold`).
    public static let mostValues = 896

    /// The sizes of lists: a list is filled up by repeating its last value, which the server looks at like any other.
    private static let listSizes = [1, 4, 16, 64] + stride(from: 128, through: mostValues, by: 128)

    /// The smallest size of a list that holds so many values, at most ``mostValues``.
    public static func listSize(_ count: Int) -> Int {
        precondition((1...mostValues).contains(count), "a list has 1 to \(mostValues) values, not \(count)")
        return listSizes.first { $0 >= count } ?? mostValues
    }
}

/// The connector's own start, once a process.
private enum Connector {
    static let initialized: Bool = mysql_server_init(0, nil, nil) == 0
}
