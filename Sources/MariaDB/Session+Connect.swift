import CMariaDB

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

extension Session {
    /// Connects to one address, and looks at what is there.
    /// - Throws: `MariaDBError` where nothing answers, or it lets nobody in.
    static func open(
        _ configuration: MariaDBConfiguration, at address: MariaDBConfiguration.Server
    ) throws -> Session {
        let session = try Session(to: address)
        try session.connect(configuration)
        return session
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
        try meet(since)
        for statement in configuration.sessionStatements {
            do {
                try simple(statement)
            } catch let error as MariaDBError where !error.isConnectionLost {
                throw MariaDBError(
                    code: error.code, sqlState: error.sqlState, message: "\(address): \(error.message)",
                    statement: statement, isConnectionLost: true, isRefused: true)
            }
        }
    }

    /// Learns who is at the other end, before anything is asked for that other products do not know.
    /// - Throws: `MariaDBError`, a refusal, where it is a product that does not keep what is built on.
    private func meet(_ since: ContinuousClock.Instant) throws {
        // In one statement: proxies answer for CONNECTION_ID() alone themselves.
        let about = try rows("SELECT VERSION(), CONNECTION_ID(), @@version_comment").first
        let version = try about?.text(0) ?? ""
        if let refusal = ServerProduct(version: version, comment: try about?.text(2) ?? "").refusal {
            throw MariaDBError(
                code: MariaDBError.wrongProductCode, message: "\(address): \(refusal)", isConnectionLost: true,
                isRefused: true)
        }
        server = MariaDBServer(version)
        let number = UInt64(mysql_thread_id(mysql))
        thread = MariaDBThread(
            id: number, serverIdentity: try identity(), since: since, isProven: try about?.text(1) == "\(number)")
        cluster = try findCluster()
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
