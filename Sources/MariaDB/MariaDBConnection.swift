import CMariaDB

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// One connection to a server, on a thread of its own.
///
/// Its operations are synchronous inside the actor: a caller hops to the connection once (`MariaDBPool.withConnection`), and
/// runs a whole transaction there without a further hop. They block that thread for at most the configured times.
///
/// After an error with `isConnectionLost` it is of no use; the pool throws it away.
public actor MariaDBConnection {
    private let executor: ConnectionExecutor
    private let configuration: MariaDBConfiguration
    private let handle: Handle
    private var statements = StatementCache()
    /// The pool's number of it.
    public let id: Int
    public private(set) var server = MariaDBServer("")
    /// The server's number of this connection, as `KILL` and `SHOW PROCESSLIST` have it.
    public private(set) var threadID: UInt64 = 0
    /// Which server this is: all connections of a pool must have the same.
    public private(set) var serverIdentity = ""
    private var isBroken = false

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// The connector's handle; used on the connection's thread alone.
    private final class Handle {
        var mysql: UnsafeMutablePointer<MYSQL>?
        deinit { if let mysql { mysql_close(mysql) } }
    }

    /// Not connected yet: call `connect()`.
    /// - Throws: `MariaDBError` where no thread could be made for it.
    init(id: Int, configuration: MariaDBConfiguration) throws {
        self.id = id
        self.configuration = configuration
        executor = try ConnectionExecutor()
        handle = Handle()
    }

    // MARK: Life

    /// Connects to the first server of the configuration that takes it.
    func connect() throws {
        _ = Connector.initialized
        var last: MariaDBError?
        for server in configuration.servers {
            do {
                try connect(to: server)
                return
            } catch let error as MariaDBError {
                last = error
                close()
            }
        }
        throw last ?? MariaDBError(code: 2003, message: "no server is configured")
    }

    private func connect(to address: MariaDBConfiguration.Server) throws {
        guard let mysql = mysql_init(nil) else { throw MariaDBError(code: 2008, message: "no memory for a connection") }
        handle.mysql = mysql
        if case .verified(let caFile) = configuration.tls, access(caFile, R_OK) != 0 {
            throw MariaDBError(
                code: 2026, message: "the CA file \(caFile) cannot be read: \(String(cString: strerror(errno)))",
                isConnectionLost: true, isRefused: true)
        }
        setOptions(mysql)
        if case .tcp = address {
            // Or the connector takes "localhost" for a Unix socket of its own choice.
            var tcp = MYSQL_PROTOCOL_TCP.rawValue
            mysql_options(mysql, MYSQL_OPT_PROTOCOL, &tcp)
        }
        let connected: UnsafeMutablePointer<MYSQL>? =
            switch address {
            case .tcp(let host, let port):
                mysql_real_connect(
                    mysql, host, configuration.user, configuration.password, configuration.database, UInt32(port), nil,
                    0)
            case .socket(let path):
                mysql_real_connect(
                    mysql, nil, configuration.user, configuration.password, configuration.database, 0, path, 0)
            }
        guard connected != nil else {
            let error = lastError(nil)
            throw MariaDBError(
                code: error.code, sqlState: error.sqlState, message: "cannot connect to \(address): \(error.message)",
                isConnectionLost: true, isRefused: MariaDBError.isRefusal(error.code))
        }
        isBroken = false
        threadID = UInt64(mysql_thread_id(mysql))
        for statement in configuration.sessionStatements {
            do {
                try simple(statement)
            } catch let error as MariaDBError where !error.isConnectionLost {
                throw MariaDBError(
                    code: error.code, sqlState: error.sqlState, message: "\(address): \(error.message)",
                    statement: statement, isConnectionLost: true, isRefused: true)
            }
        }
        server = MariaDBServer(try simpleRows("SELECT VERSION()").first?.text(0) ?? "")
        serverIdentity = try identity()
    }

    private func setOptions(_ mysql: UnsafeMutablePointer<MYSQL>) {
        func set(_ option: mysql_option, _ value: Duration) {
            var seconds = UInt32(max(1, min(86_400, value.components.seconds)))
            mysql_options(mysql, option, &seconds)
        }
        set(MYSQL_OPT_CONNECT_TIMEOUT, configuration.connectTimeout)
        set(MYSQL_OPT_READ_TIMEOUT, configuration.readTimeout)
        set(MYSQL_OPT_WRITE_TIMEOUT, configuration.writeTimeout)
        mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4")
        var off: my_bool = 0
        var on: my_bool = 1
        mysql_options(mysql, MYSQL_OPT_RECONNECT, &off)
        // Or a server that is not what it says could ask for any file that this process can read.
        var no: UInt32 = 0
        mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no)
        mysql_options(mysql, MYSQL_REPORT_DATA_TRUNCATION, &on)
        switch configuration.tls {
        case .off:
            mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &off)
        case .required:
            mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &on)
            mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &off)
            mysql_options(mysql, MARIADB_OPT_TLS_VERSION, "TLSv1.2,TLSv1.3")
        case .verified(let caFile):
            mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &on)
            mysql_options(mysql, MYSQL_OPT_SSL_CA, caFile)
            mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on)
            mysql_options(mysql, MARIADB_OPT_TLS_VERSION, "TLSv1.2,TLSv1.3")
        }
    }

    /// MySQL has a UUID; MariaDB has none, but its name, port, id and data directory together tell servers apart.
    private func identity() throws -> String {
        let sql =
            server.kind == .mySQL
            ? "SELECT @@server_uuid" : "SELECT CONCAT_WS('/', @@hostname, @@port, @@server_id, @@datadir)"
        return try simpleRows(sql).first?.text(0) ?? ""
    }

    func close() {
        for statement in statements.removeAll() { statement.close() }
        if let mysql = handle.mysql { mysql_close(mysql) }
        handle.mysql = nil
        isBroken = true
    }

    /// Asks the server whether it is there.
    public func ping() throws {
        try check(mysql_ping(try mysql()), "ping")
    }

    /// Runs `body` here, and says whether the connection can be used again: not when it is lost, nor when a transaction was
    /// left open.
    func perform<Result: Sendable>(
        _ body: @Sendable (isolated MariaDBConnection) throws -> Result
    ) -> (outcome: Swift.Result<Result, any Error>, isUsable: Bool) {
        let outcome = Swift.Result { try body(self) }
        let isInTransaction = (handle.mysql?.pointee.server_status ?? 0) & UInt32(SERVER_STATUS_IN_TRANS) != 0
        return (outcome, !isBroken && !isInTransaction)
    }

    // MARK: Statements

    /// Runs a statement through the text protocol: BEGIN, SET, DDL. Text from users has no place here.
    public func simple(_ sql: String) throws {
        try send(sql)
        try drain(sql)
    }

    /// Reads what results are left of a statement through the text protocol: a CALL has several.
    private func drain(_ sql: String) throws {
        let mysql = try mysql()
        while true {
            if let result = mysql_store_result(mysql) {
                mysql_free_result(result)
            } else if mysql_errno(mysql) != 0 {
                throw failed(lastError(sql))
            }
            let more = mysql_next_result(mysql)
            if more < 0 { return }
            try check(more, sql)
        }
    }

    /// The rows of a statement through the text protocol; every value is text or NULL.
    public func simpleRows(_ sql: String) throws -> [MariaDBRow] {
        try send(sql)
        guard let result = mysql_store_result(try mysql()) else {
            if mysql_errno(try mysql()) != 0 { throw failed(lastError(sql)) }
            return []
        }
        let count = Int(mysql_num_fields(result))
        var rows: [MariaDBRow] = []
        while let row = mysql_fetch_row(result) {
            guard let lengths = mysql_fetch_lengths(result) else { break }
            rows.append(
                MariaDBRow(
                    values: (0..<count).map { column in
                        guard let value = row[column] else { return .null }
                        return .bytes([UInt8](UnsafeRawBufferPointer(start: value, count: Int(lengths[column]))))
                    }))
        }
        mysql_free_result(result)
        let more = mysql_next_result(try mysql())
        if more >= 0 {
            try check(more, sql)
            try drain(sql)
        }
        return rows
    }

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
        let mysql = try mysql()
        // As the last reply said: a statement outside of a transaction commits itself.
        let isAutocommit = mysql.pointee.server_status & UInt32(SERVER_STATUS_IN_TRANS) == 0
        do {
            let statement: Statement
            if let cached = statements.use(sql) {
                statement = cached
            } else {
                statement = try Statement(sql, on: mysql)
                statements.insert(statement, limit: configuration.statementCacheSize)?.close()
            }
            let result = try body(statement)
            try statement.drain()
            return result
        } catch let error as MariaDBError {
            var error = failed(error)
            error.isCommitOutcomeUnknown = isWrite && isAutocommit && error.isConnectionLost
            throw error
        }
    }

    // MARK: Transactions

    public func begin() throws { try simple("BEGIN") }

    /// - Throws: `MariaDBError` with `isCommitOutcomeUnknown` where the connection was lost before the reply came.
    public func commit() throws {
        do {
            try simple("COMMIT")
        } catch var error as MariaDBError {
            error.isCommitOutcomeUnknown = error.isConnectionLost
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
            if !isBroken {
                do { try rollback() } catch { isBroken = true }
            }
            throw error
        }
    }

    // MARK: Errors

    private func mysql() throws -> UnsafeMutablePointer<MYSQL> {
        guard let mysql = handle.mysql, !isBroken else {
            throw MariaDBError(code: 2006, message: "the connection to the server is closed")
        }
        return mysql
    }

    private func send(_ sql: String) throws {
        let mysql = try mysql()
        var text = sql
        let code = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { mysql_real_query(mysql, $0.baseAddress, UInt($0.count)) }
        }
        try check(code, sql)
    }

    private func check(_ code: Int32, _ sql: String) throws {
        if code != 0 { throw failed(lastError(sql)) }
    }

    private func lastError(_ sql: String?) -> MariaDBError {
        guard let mysql = handle.mysql else { return MariaDBError(code: 2006, message: "the connection is closed") }
        return MariaDBError(
            code: Int(mysql_errno(mysql)), sqlState: String(cString: mysql_sqlstate(mysql)),
            message: String(cString: mysql_error(mysql)), statement: sql)
    }

    private func failed(_ error: MariaDBError) -> MariaDBError {
        if error.closesConnection { isBroken = true }
        guard error.isConnectionLost else { return error }
        var error = error
        error.threadID = threadID
        return error
    }
}

/// How many rows, or values of a list, the statements of one text have: few texts serve all sizes.
public enum Ladder {
    public static let steps = [256, 64, 16, 4, 1]

    /// The smallest step of a list that holds so many values, at most 1,024; a list is filled up by repeating its last value.
    public static func listSize(_ count: Int) -> Int {
        precondition((1...1_024).contains(count), "a list has 1 to 1,024 values, not \(count)")
        return [1, 4, 16, 64, 256, 1_024].first { $0 >= count } ?? 1_024
    }
}

/// The connector's own start, once a process.
private enum Connector {
    static let initialized: Bool = mysql_server_init(0, nil, nil) == 0
}
