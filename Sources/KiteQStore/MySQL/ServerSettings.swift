import MariaDB

/// What of a server's settings decides whether an acknowledged message survives a crash.
struct ServerSettings: Sendable {
    let server: MariaDBServer
    let maxPacket: Int
    /// Each a sentence with the setting to change.
    let problems: [String]

    init(on connection: isolated MariaDBConnection) throws {
        server = connection.server
        func number(_ name: String) throws -> Int64 {
            try connection.query("SELECT CAST(@@\(name) AS SIGNED)").first?.int(0) ?? 0
        }
        var problems: [String] = []
        maxPacket = Int(try number("max_allowed_packet"))
        if try number("innodb_flush_log_at_trx_commit") != 1 {
            problems.append(
                "innodb_flush_log_at_trx_commit is not 1: a crash of the server loses up to a second of commits")
        }
        if try number("log_bin") != 0 {
            if try number("sync_binlog") != 1 {
                problems.append("sync_binlog is not 1: a crash of the server may lose commits that replicas never saw")
            }
            let format = try connection.query("SELECT @@binlog_format").first?.text(0) ?? ""
            if format == "STATEMENT" {
                problems.append("binlog_format is STATEMENT, which READ COMMITTED cannot write with: set ROW")
            }
        }
        if maxPacket < 8 << 20 {
            problems.append(
                "max_allowed_packet is \(maxPacket): a message of 2 MiB and its header need 8 MiB to be safe")
        }
        self.problems = problems
    }
}
