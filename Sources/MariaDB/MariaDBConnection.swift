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
    /// The cluster that its server is a member of; nil where it is in none.
    public private(set) var cluster: MariaDBCluster?
    /// Where the server was found.
    private(set) var address: MariaDBConfiguration.Server?
    private nonisolated let line = ConnectionLine()

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

    /// Connects to this address.
    /// - Throws: `MariaDBError`, also where the configuration requires writes and the server there takes none.
    func connect(to target: MariaDBConfiguration.Server) throws {
        let session = try session(at: target)
        guard configuration.requiresWrites else { return }
        switch try session.sight(asksCluster: false).state {
        case .fit: break
        case .readOnly:
            throw refusal(MariaDBError.readOnlyCode, "no database server takes writes: \(target) is read-only")
        case .unready(let reason): throw refusal(1047, "\(target): \(reason)")
        case .away(let error): throw error
        }
    }

    private func refusal(_ code: Int, _ message: String) -> MariaDBError { MariaDBError(code: code, message: message) }

    private func session(at target: MariaDBConfiguration.Server) throws -> Session {
        _ = Connector.initialized
        let session = try Session.open(configuration, at: target)
        open = session
        line.hold(session.socket)
        (server, thread, address, cluster) = (session.server, session.thread, session.address, session.cluster)
        return session
    }

    /// Looks at what is at an address, and hangs up.
    /// - Parameter witnesses: reads who says there where they work.
    func look(
        at target: MariaDBConfiguration.Server,
        _ witnesses: (@Sendable (isolated MariaDBConnection) throws -> [ServerWitness])?
    ) -> ServerSight {
        defer { close() }
        do {
            var sight = try session(at: target).sight(asksCluster: configuration.requiresWrites)
            if sight.isFit, let witnesses { sight.witnesses = try witnesses(self) }
            return sight
        } catch {
            let failure = error as? MariaDBError ?? MariaDBError(code: 0, message: "\(target): \(error)")
            return ServerSight(address: target, state: .away(failure))
        }
    }

    func close() {
        for statement in statements.removeAll() { statement.close() }
        line.letGo()
        open = nil
    }

    /// Ends whatever waits here for an answer, as if the server had hung up.
    nonisolated func cut() { line.cut() }

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

    /// What a use of a connection says of it and of its server.
    struct Use: Sendable {
        var condition: Condition
        /// Of the server's writes: true where one was answered, false where the answer of one did not come; nil where none was made.
        var writesReturn: Bool?
    }

    /// Runs `body` here, and says what follows.
    func perform<Result: Sendable>(
        _ body: @Sendable (isolated MariaDBConnection) throws -> Result
    ) -> (outcome: Swift.Result<Result, any Error>, use: Use) {
        let outcome = Swift.Result { try body(self) }
        guard let open else { return (outcome, Use(condition: .broken)) }
        defer { (open.hasRefusedWrites, open.hasWritten, open.hasLostWrite) = (false, false, false) }
        let writesReturn = open.hasLostWrite ? false : open.hasWritten ? true : nil
        guard !open.isBroken, !open.isInTransaction else {
            return (outcome, Use(condition: .broken, writesReturn: writesReturn))
        }
        return (outcome, Use(condition: open.hasRefusedWrites ? .refusesWrites : .usable, writesReturn: writesReturn))
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
        let sentAt = isWrite && isAutocommit ? PoolClock.now() : 0
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
            if isWrite && isAutocommit { session.hasWritten = true }
            return result
        } catch let error as MariaDBError {
            var error = session.failed(error)
            error.isCommitOutcomeUnknown = isWrite && isAutocommit && error.isConnectionLost
            noteLostWrite(error, sentAt: sentAt, of: session)
            throw error
        }
    }

    /// A commit whose answer was waited for in vain says that its server may have lost its cluster or its replica. One whose
    /// connection broke says nothing of the kind.
    private func noteLostWrite(_ error: MariaDBError, sentAt: Int64, of session: Session) {
        guard error.isCommitOutcomeUnknown else { return }
        if PoolClock.now() - sentAt >= configuration.readTimeout.nanoseconds * 3 / 4 { session.hasLostWrite = true }
    }

    // MARK: Transactions

    public func begin() throws { try simple("BEGIN") }

    /// - Throws: `MariaDBError` with `isCommitOutcomeUnknown` where the connection was lost before the reply came, or where
    ///   the server itself does not say: 1180 is also what a Galera node answers that lost its cluster while others certified
    ///   the write set. A conflict (`isDeadlock`) and a transaction that is too large were rolled back.
    public func commit() throws {
        let session = try session()
        let sentAt = PoolClock.now()
        do {
            try session.simple("COMMIT")
            session.hasWritten = true
        } catch var error as MariaDBError {
            error.isCommitOutcomeUnknown = error.isConnectionLost || error.code == 1180 && !error.isTooLarge
            noteLostWrite(error, sentAt: sentAt, of: session)
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
