import MariaDB

/// What a migration's session must be, whatever the server's sessions begin with, and what no session can make up for.
enum MigrationSession {
    /// For the script, too, so that a DBA's client begins the same.
    static let statements = [
        // First: what follows is read by its rules.
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
        "SET SESSION autocommit = 1",
        "SET SESSION completion_type = 0",
        "SET SESSION TRANSACTION READ WRITE",
        // With binlog_format = STATEMENT, InnoDB takes no INSERT below it.
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "SET SESSION sql_safe_updates = 0",
        "SET SESSION sql_select_limit = 18446744073709551615",
        "SET SESSION time_zone = '+00:00'",
        // Or the server ends the change of a large table in the middle: on MariaDB this is for every statement.
        "SET SESSION wait_timeout = 28800 /*M!100101 , SESSION max_statement_time = 0 */",
    ]

    static let settings = """
        SHOW GLOBAL VARIABLES WHERE Variable_name IN ('read_only', 'super_read_only', 'innodb_read_only', 'log_bin', \
        'binlog_format', 'enforce_storage_engine', 'disabled_storage_engines')
        """
    static let engine = """
        SELECT engine FROM information_schema.engines WHERE engine = 'InnoDB' AND support IN ('YES', 'DEFAULT')
        """

    /// Why the tables cannot be made there, a sentence with what to do; nil where they can.
    static func problem(_ settings: [String: String], _ server: MariaDBServer, hasInnoDB: Bool) -> String? {
        func isOn(_ name: String) -> Bool { ["ON", "1", "YES"].contains(settings[name, default: ""].uppercased()) }
        func named(_ name: String) -> String? { settings[name].flatMap { $0.isEmpty || $0 == "NULL" ? nil : $0 } }
        let isOld = server.kind == .mariaDB ? !server.isAtLeast(10, 6) : !server.isAtLeast(8, 0)
        if isOld {
            return "the server is \(server.versionText), and MySQL 8.0 or MariaDB 10.6 is the oldest that will do."
        }
        for name in ["innodb_read_only", "super_read_only"] where isOn(name) {
            return "the server takes no writes (\(name) = ON): name the one that does."
        }
        // A privileged user's writes it would take: on a replica they would be lost, or stop it.
        if isOn("read_only") { return "the server is read only (read_only = ON): name the one that takes writes." }
        if !hasInnoDB { return "the server has no InnoDB." }
        if let engine = named("enforce_storage_engine"), engine.lowercased() != "innodb" {
            return "the server makes every table with \(engine) (enforce_storage_engine), and KiteQ's are InnoDB's."
        }
        if let engines = named("disabled_storage_engines"), engines.lowercased().contains("innodb") {
            return "the server makes no tables with InnoDB (disabled_storage_engines = \(engines))."
        }
        return nil
    }

    /// What a migration can do with and a broker cannot.
    static func warning(_ settings: [String: String]) -> String? {
        let isLogged = ["ON", "1"].contains(settings["log_bin", default: ""].uppercased())
        guard isLogged, settings["binlog_format"]?.uppercased() == "STATEMENT" else { return nil }
        return
            "binlog_format = STATEMENT: brokers write at READ COMMITTED, which InnoDB refuses with it (error 1665); set ROW"
    }

    /// What to do where not even what is smallest passes; empty where that is not the error's meaning.
    static func advice(_ error: MariaDBError) -> String {
        guard error.isTooLarge || [1180, 3100].contains(error.code) else { return "" }
        return
            "; each statement changes 16 rows at most, and one that failed was tried with fewer: raise max_allowed_packet, wsrep_max_ws_size and wsrep_max_ws_rows (Galera) or group_replication_transaction_size_limit, and see whether the cluster is whole"
    }
}
