import CMariaDB

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A session with one server: the connector's handle, and the text protocol. It is used on one connection's thread alone,
/// and ends with this object.
final class Session {
    let mysql: UnsafeMutablePointer<MYSQL>
    let address: MariaDBConfiguration.Server
    var server = MariaDBServer("")
    var thread = MariaDBThread(id: 0, serverIdentity: "", since: .now)
    var cluster: MariaDBCluster?
    /// No more statements: it was lost, or the server hangs up.
    var isBroken = false
    /// A statement failed because the server takes no writes.
    var hasRefusedWrites = false
    /// A commit, or a statement that is its own transaction, was answered.
    var hasWritten = false
    /// The answer of one did not come in time, or its cluster node serves nobody.
    var hasLostWrite = false

    /// Not connected yet.
    init(to address: MariaDBConfiguration.Server) throws {
        guard let mysql = mysql_init(nil) else { throw MariaDBError(code: 2008, message: "no memory for a connection") }
        self.mysql = mysql
        self.address = address
    }

    deinit { mysql_close(mysql) }

    var socket: Int32 { mysql_get_socket(mysql) }

    /// As the last reply said.
    var isInTransaction: Bool { mysql.pointee.server_status & UInt32(SERVER_STATUS_IN_TRANS) != 0 }

    // MARK: Statements

    /// Asks the server whether it is there, and waits for its answer no longer than this: the read timeout may be long, and
    /// holds for all statements.
    func ping(within limit: Duration) throws {
        let sql = "DO 1"
        try check(mysql_send_query(mysql, sql, UInt(sql.utf8.count)), sql)
        guard hasAnswer(within: limit) else {
            throw failed(MariaDBError(code: 2013, message: "\(address) did not answer within \(limit)", statement: sql))
        }
        try check(mysql_read_query_result(mysql) == 0 ? 0 : 1, sql)
    }

    /// Whether there is something to read, or the end of it.
    private func hasAnswer(within limit: Duration) -> Bool {
        var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        let deadline = PoolClock.now() + limit.nanoseconds
        while true {
            let left = max(0, (deadline - PoolClock.now() + 999_999) / 1_000_000)
            let count = poll(&descriptor, 1, Int32(min(left, 86_400_000)))
            if count > 0 { return true }
            if count == 0 && PoolClock.now() >= deadline { return false }
            if count < 0 && errno != EINTR { return false }
        }
    }

    /// Runs a statement and drops its results.
    func simple(_ sql: String) throws {
        try send(sql)
        try drain(sql)
    }

    /// The rows of a statement; every value is text or NULL.
    func rows(_ sql: String) throws -> [MariaDBRow] {
        try send(sql)
        guard let result = mysql_store_result(mysql) else {
            if mysql_errno(mysql) != 0 { throw failed(lastError(sql)) }
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
        let more = mysql_next_result(mysql)
        if more >= 0 {
            try check(more, sql)
            try drain(sql)
        }
        return rows
    }

    /// Reads what results are left of a statement: a CALL has several.
    private func drain(_ sql: String) throws {
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

    private func send(_ sql: String) throws {
        var text = sql
        let code = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { mysql_real_query(mysql, $0.baseAddress, UInt($0.count)) }
        }
        try check(code, sql)
    }

    // MARK: Errors

    private func check(_ code: Int32, _ sql: String) throws {
        if code != 0 { throw failed(lastError(sql)) }
    }

    func lastError(_ sql: String?) -> MariaDBError {
        MariaDBError(
            code: Int(mysql_errno(mysql)), sqlState: String(cString: mysql_sqlstate(mysql)),
            message: String(cString: mysql_error(mysql)), statement: sql)
    }

    /// What follows from an error for this session, and who it was.
    func failed(_ error: MariaDBError) -> MariaDBError {
        if error.closesConnection { isBroken = true }
        if error.isReadOnly { hasRefusedWrites = true }
        if error.isUnready { hasLostWrite = true }
        guard error.isConnectionLost else { return error }
        var error = error
        error.thread = thread
        return error
    }
}
