import CMariaDB

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

extension Session {
    /// Connects to the first address whose server takes writes; where there is none, to the first that answers, unless the
    /// configuration requires writes.
    ///
    /// - Parameter preferred: the address to try before the others, whatever their order: where the last connection was made.
    ///   A first address that is back, or that nothing is heard of, must not be what each new connection begins with.
    /// - Throws: `MariaDBError` with the reason of each address. It is a refusal only where each of them refuses.
    static func open(
        _ configuration: MariaDBConfiguration, preferring preferred: MariaDBConfiguration.Server? = nil
    ) throws -> Session {
        var addresses = configuration.servers
        if let preferred, let index = addresses.firstIndex(of: preferred) {
            addresses.insert(addresses.remove(at: index), at: 0)
        }
        var replicas: [Session] = []
        var errors: [MariaDBError] = []
        for address in addresses {
            do {
                let session = try Session(to: address)
                try session.connect(configuration)
                if try !session.isReadOnly() { return session }
                replicas.append(session)
            } catch let error as MariaDBError {
                errors.append(error)
            }
        }
        if let first = replicas.first {
            guard configuration.requiresWrites else { return first }
            throw readOnly(replicas.map(\.address), errors)
        }
        guard let first = errors.first(where: { !$0.isRefused }) ?? errors.first else {
            throw MariaDBError(code: 2003, message: "no server is configured")
        }
        if errors.count == 1 { throw first }
        throw MariaDBError(
            code: first.code, sqlState: first.sqlState, message: errors.map(\.message).joined(separator: "; "),
            statement: first.statement, isConnectionLost: true, isRefused: first.isRefused)
    }

    private static func readOnly(
        _ replicas: [MariaDBConfiguration.Server], _ errors: [MariaDBError]
    ) -> MariaDBError {
        let reasons = replicas.map { "\($0) is read-only" } + errors.map(\.message)
        return MariaDBError(
            code: MariaDBError.readOnlyCode,
            message: "no database server takes writes: \(reasons.joined(separator: "; "))")
    }

    /// Whether the server as a whole takes no writes: it is a replica, or is being one. That the user may write all the same is
    /// no reason to.
    func isReadOnly() throws -> Bool {
        let settings = try rows("SELECT @@global.read_only, @@global.innodb_read_only").first
        // A number with most servers, a word with the newest MariaDB.
        return try [settings?.text(0), settings?.text(1)].contains { $0 != "0" && $0 != "OFF" }
    }

    private func connect(_ configuration: MariaDBConfiguration) throws {
        if case .verified(let caFile) = configuration.tls, access(caFile, R_OK) != 0 {
            throw MariaDBError(
                code: 2026, message: "the CA file \(caFile) cannot be read: \(String(cString: strerror(errno)))",
                isConnectionLost: true, isRefused: true)
        }
        setOptions(configuration)
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
        let since = ContinuousClock.now
        for statement in configuration.sessionStatements {
            do {
                try simple(statement)
            } catch let error as MariaDBError where !error.isConnectionLost {
                throw MariaDBError(
                    code: error.code, sqlState: error.sqlState, message: "\(address): \(error.message)",
                    statement: statement, isConnectionLost: true, isRefused: true)
            }
        }
        server = MariaDBServer(try rows("SELECT VERSION()").first?.text(0) ?? "")
        thread = MariaDBThread(id: UInt64(mysql_thread_id(mysql)), serverIdentity: try identity(), since: since)
    }

    /// MySQL has a UUID; MariaDB has none, but its name, port, id and data directory together tell servers apart.
    private func identity() throws -> String {
        let sql =
            server.kind == .mySQL
            ? "SELECT @@server_uuid" : "SELECT CONCAT_WS('/', @@hostname, @@port, @@server_id, @@datadir)"
        return try rows(sql).first?.text(0) ?? ""
    }

    private func setOptions(_ configuration: MariaDBConfiguration) {
        func set(_ option: mysql_option, _ value: Duration) {
            var seconds = UInt32(max(1, min(86_400, value.components.seconds)))
            mysql_options(mysql, option, &seconds)
        }
        if case .tcp = address {
            // Or the connector takes "localhost" for a Unix socket of its own choice.
            var tcp = MYSQL_PROTOCOL_TCP.rawValue
            mysql_options(mysql, MYSQL_OPT_PROTOCOL, &tcp)
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
}
