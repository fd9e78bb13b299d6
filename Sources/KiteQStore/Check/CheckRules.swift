import KiteQCore
import MariaDB

/// What is to be said of one server: docs/databases.md has the reasons.
enum CheckRules {
    /// A message has up to 2 MiB, and a change of it is in a log or a write set twice: what passes at the least, bytes.
    static let leastTransaction: Int64 = 5 << 20
    /// What the store puts into a transaction at most, with its overhead, bytes.
    static let wholeTransaction: Int64 = Int64(Shard.transactionBytes) + (4 << 20)

    /// - Parameter databases: of the shards that are there.
    static func lines(_ facts: ServerFacts, databases: [String]) -> [CheckLine] {
        var lines = CheckLines(facts.address)
        product(facts, &lines)
        guard facts.product.refusal == nil else { return lines.lines }
        address(facts, &lines)
        durability(facts, &lines)
        packet(facts, &lines)
        if facts.isGalera { galera(facts, &lines) }
        if facts.isGroupReplication { groupReplication(facts, &lines) }
        semiSync(facts, &lines)
        grants(facts, databases, &lines)
        clock(facts, &lines)
        snapshots(facts, &lines)
        return lines.lines
    }

    private static func product(_ facts: ServerFacts, _ lines: inout CheckLines) {
        let comment = facts.variables["version_comment"].map { $0.isEmpty ? "" : ", \($0)" } ?? ""
        let text = "\(facts.product.rawValue) \(facts.server.versionText)\(comment)"
        let isMariaDB = facts.server.kind == .mariaDB
        if let reason = facts.product.refusal {
            lines.add(.bad, "product", "\(text): \(reason)")
        } else if !facts.server.isAtLeast(isMariaDB ? 10 : 8, isMariaDB ? 6 : 0) {
            lines.add(.bad, "product", "\(text): MySQL 8.0 or MariaDB 10.6 is the oldest that will do")
        } else if let caution = facts.product.caution {
            lines.add(.warn, "product", "\(text): \(caution)")
        } else {
            lines.add(.ok, "product", text)
        }
    }

    private static func address(_ facts: ServerFacts, _ lines: inout CheckLines) {
        let servers = Set(facts.identities)
        if servers.count > 1 {
            lines.add(
                .bad, "address",
                "\(facts.identities.count) connections met \(servers.count) servers: a proxy spreads them (leastconn, round robin); it must lead all to one writer"
            )
        } else if facts.identities.count > 1 {
            lines.add(.ok, "address", "\(facts.identities.count) connections met one server")
        }
        if facts.takesWrites {
            lines.add(.ok, "read_only", "it takes writes")
        } else {
            lines.add(.ok, "read_only", "it takes no writes, and brokers pass it over")
        }
    }

    private static func durability(_ facts: ServerFacts, _ lines: inout CheckLines) {
        let flush = facts.variables["innodb_flush_log_at_trx_commit"] ?? "unknown"
        if flush == "1" {
            lines.add(.ok, "innodb_flush_log_at_trx_commit", "1")
        } else {
            let more = facts.isGalera ? ", and of a cluster when its nodes crash one after the other" : ""
            lines.add(
                .bad, "innodb_flush_log_at_trx_commit",
                "\(flush): a crash of the server loses up to a second of acknowledged messages\(more); set 1")
        }
        guard facts.isOn("log_bin") else { return }
        let sync = facts.variables["sync_binlog"] ?? "unknown"
        if sync == "1" {
            lines.add(.ok, "sync_binlog", "1")
        } else {
            lines.add(.bad, "sync_binlog", "\(sync): a crash may lose commits that replicas never saw; set 1")
        }
        let format = facts.variables["binlog_format"] ?? "unknown"
        switch format.uppercased() {
        case "STATEMENT":
            lines.add(.bad, "binlog_format", "STATEMENT, which READ COMMITTED cannot write with (error 1665); set ROW")
        case "ROW": lines.add(.ok, "binlog_format", "ROW")
        default: lines.add(.warn, "binlog_format", "\(format): set ROW")
        }
    }

    private static func packet(_ facts: ServerFacts, _ lines: inout CheckLines) {
        guard let bytes = facts.number("max_allowed_packet") else { return }
        let text = "\(bytes >> 20) MiB"
        if bytes < 8 << 20 {
            lines.add(
                .bad, "max_allowed_packet", "\(text): a message of 2 MiB needs 8 MiB to be safe; set 16 MiB or more")
        } else if bytes < 16 << 20 {
            lines.add(.warn, "max_allowed_packet", "\(text): set 16 MiB or more")
        } else {
            lines.add(.ok, "max_allowed_packet", text)
        }
    }

    // MARK: Who asks

    private static func grants(_ facts: ServerFacts, _ databases: [String], _ lines: inout CheckLines) {
        let grants = Grants(facts.grants)
        let above = grants.aboveReadOnly
        if !above.isEmpty {
            lines.add(
                .warn, "grants",
                "the user has \(above.joined(separator: ", ")): read_only does not hold for it, and a server that was demoted takes its writes for up to a second"
            )
        }
        let needed = ["SELECT", "INSERT", "UPDATE", "DELETE"]
        let short = databases.map { ($0, grants.lacks(needed, in: $0)) }.filter { !$0.1.isEmpty }
        if short.isEmpty {
            if above.isEmpty { lines.add(.ok, "grants", "what a broker needs, and nothing that is above read_only") }
        } else if grants.hasRoles {
            lines.add(.warn, "grants", "the user has roles, whose privileges are not looked at")
        } else {
            for (database, missing) in short {
                lines.add(.bad, "grants", "the user lacks \(missing.joined(separator: ", ")) on `\(database)`.*")
            }
        }
    }

    private static func clock(_ facts: ServerFacts, _ lines: inout CheckLines) {
        let lead = facts.clockLead
        let text = "\(abs(lead)) ms \(lead < 0 ? "behind" : "ahead of") this machine's, ± \(facts.clockError) ms"
        if abs(lead) - facts.clockError > 2_000 {
            lines.add(.warn, "clock", "\(text): set whichever is wrong (NTP)")
        } else {
            lines.add(.ok, "clock", text)
        }
    }

    private static func snapshots(_ facts: ServerFacts, _ lines: inout CheckLines) {
        switch facts.oldestTransaction {
        case .known(let seconds) where seconds > 300:
            lines.add(
                .warn, "open transactions",
                "the oldest has been open for \(seconds) s: what is deleted meanwhile is kept for it, and slows down reading"
            )
        case .known(let seconds):
            lines.add(.ok, "open transactions", seconds == 0 ? "none" : "the oldest has been open for \(seconds) s")
        case .needs(let privilege):
            lines.add(
                .ok, "open transactions", "not looked at: the user lacks \(privilege), which a broker does without")
        }
        switch facts.historyLength {
        case .known(let length) where length > 1_000_000:
            lines.add(.warn, "history list", "\(length): what was deleted is not purged; look for an open transaction")
        case .known(let length): lines.add(.ok, "history list", "\(length)")
        case .needs(let privilege):
            lines.add(.ok, "history list", "not looked at: the user lacks \(privilege), which a broker does without")
        }
    }
}
