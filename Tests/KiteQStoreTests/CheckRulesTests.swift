import KiteQCore
@testable import MariaDB
import Testing

@testable import KiteQStore

/// What is said of a server, by what it says of itself.
@Suite struct CheckRulesTests {
    private static let good = [
        "innodb_flush_log_at_trx_commit": "1", "log_bin": "ON", "sync_binlog": "1", "binlog_format": "ROW",
        "max_allowed_packet": "16777216", "read_only": "OFF",
    ]
    private static let grant = ["GRANT SELECT, INSERT, UPDATE, DELETE ON `kite\\_%`.* TO `kite`@`%`"]

    private static func facts(
        _ variables: [String: String] = [:], status: [String: String] = [:], address: String = "db1:3306",
        identities: [String] = ["one", "one"]
    ) -> ServerFacts {
        var facts = ServerFacts(
            address: address, product: .mariaDB, server: MariaDBServer("10.11.19-MariaDB"))
        facts.variables = good.merging(variables) { $1 }
        facts.status = status
        facts.grants = grant
        facts.identities = identities
        return facts
    }

    private static func lines(_ facts: ServerFacts) -> [CheckLine] { CheckRules.lines(facts, databases: ["kite_0"]) }

    private static func said(_ facts: ServerFacts, of subject: String) -> CheckLine.Level? {
        lines(facts).filter { $0.subject == subject }.map(\.level).max()
    }

    @Test func aGoodServerIsAllRight() {
        #expect(Self.lines(Self.facts()).allSatisfy { $0.level == .ok }, "\(Self.lines(Self.facts()))")
    }

    @Test(
        arguments: [
            ("innodb_flush_log_at_trx_commit", "2", CheckLine.Level.bad), ("sync_binlog", "0", .bad),
            ("binlog_format", "STATEMENT", .bad), ("binlog_format", "MIXED", .warn),
            ("max_allowed_packet", "4194304", .bad), ("max_allowed_packet", "8388608", .warn),
        ])
    func settings(name: String, value: String, level: CheckLine.Level) {
        #expect(Self.said(Self.facts([name: value]), of: name) == level)
    }

    @Test func productsAndVersions() {
        var facts = Self.facts()
        facts.product = .tiDB
        #expect(Self.lines(facts).count == 1 && Self.lines(facts).level == .bad)
        facts.product = .aurora
        #expect(Self.said(facts, of: "product") == .warn)
        var old = ServerFacts(address: "a", product: .mySQL, server: MariaDBServer("5.7.44"))
        old.grants = Self.grant
        #expect(Self.said(old, of: "product") == .bad)
    }

    @Test func connectionsThatMeetSeveralServers() {
        #expect(Self.said(Self.facts(identities: ["one", "two", "one"]), of: "address") == .bad)
    }

    // MARK: Clusters

    private static let galera = [
        "wsrep_on": "ON", "wsrep_provider": "/usr/lib/galera/libgalera_smm.so",
        "wsrep_max_ws_rows": "0", "wsrep_max_ws_size": "2147483647", "innodb_autoinc_lock_mode": "2",
        "wsrep_auto_increment_control": "ON", "log_bin": "OFF",
    ]
    private static let galeraStatus = [
        "wsrep_ready": "ON", "wsrep_cluster_status": "Primary",
        "wsrep_local_state_comment": "Synced", "wsrep_cluster_size": "3", "wsrep_cluster_state_uuid": "u",
    ]

    private static func galera(_ more: [String: String] = [:], status: [String: String] = [:]) -> ServerFacts {
        facts(galera.merging(more) { $1 }, status: galeraStatus.merging(status) { $1 })
    }

    @Test func aGoodGaleraNode() {
        #expect(Self.lines(Self.galera()).allSatisfy { $0.level == .ok }, "\(Self.lines(Self.galera()))")
    }

    @Test func whatIsWrongWithAGaleraNode() {
        #expect(Self.said(Self.galera(status: ["wsrep_ready": "OFF"]), of: "galera") == .bad)
        #expect(Self.said(Self.galera(status: ["wsrep_cluster_status": "non-Primary"]), of: "galera") == .bad)
        #expect(Self.said(Self.galera(status: ["wsrep_local_state_comment": "Donor/Desynced"]), of: "galera") == .warn)
        #expect(Self.said(Self.galera(status: ["wsrep_cluster_size": "2"]), of: "wsrep_cluster_size") == .warn)
        for (name, value, level) in [
            ("wsrep_max_ws_rows", "40", CheckLine.Level.warn), ("wsrep_max_ws_size", "4096", .bad),
            ("wsrep_max_ws_size", "8388608", .warn), ("innodb_autoinc_lock_mode", "1", .bad),
            ("wsrep_auto_increment_control", "OFF", .warn), ("wsrep_trx_fragment_size", "100", .warn),
        ] {
            #expect(Self.said(Self.galera([name: value]), of: name) == level, "\(name)")
        }
    }

    private static func group(_ more: [String: String] = [:], state: String = "ONLINE") -> ServerFacts {
        var facts = facts(
            [
                "group_replication_group_name": "g", "group_replication_single_primary_mode": "ON",
                "group_replication_consistency": "BEFORE_ON_PRIMARY_FAILOVER",
                "group_replication_unreachable_majority_timeout": "5", "group_replication_start_on_boot": "ON",
                "group_replication_transaction_size_limit": "150000000",
            ].merging(more) { $1 })
        facts.members = .known([
            .init(state: state, role: "PRIMARY", isThisOne: true),
            .init(state: "ONLINE", role: "SECONDARY", isThisOne: false),
            .init(state: "ONLINE", role: "SECONDARY", isThisOne: false),
        ])
        return facts
    }

    @Test func aGoodGroup() {
        #expect(Self.lines(Self.group()).allSatisfy { $0.level == .ok }, "\(Self.lines(Self.group()))")
    }

    @Test(
        arguments: [
            ("group_replication_unreachable_majority_timeout", "0", CheckLine.Level.bad),
            ("group_replication_consistency", "EVENTUAL", .warn), ("group_replication_start_on_boot", "OFF", .warn),
            ("group_replication_single_primary_mode", "OFF", .warn),
            ("group_replication_transaction_size_limit", "1000000", .bad),
            ("group_replication_transaction_size_limit", "10000000", .warn),
            ("group_replication_transaction_size_limit", "0", .ok),
        ])
    func groupReplication(name: String, value: String, level: CheckLine.Level) {
        #expect(Self.said(Self.group([name: value]), of: name) == level)
    }

    @Test func oneThatIsNotInItsGroup() {
        let outside = Self.group(state: "OFFLINE")
        #expect(Self.said(outside, of: "group replication") == .bad)
        #expect(Self.said(outside, of: "super_read_only") == .bad, "it takes writes that the group never sees")
        var hidden = Self.group()
        hidden.members = .needs("SELECT")
        #expect(Self.said(hidden, of: "group members") == .ok)
    }

    @Test(arguments: ["rpl_semi_sync_master", "rpl_semi_sync_source"]) func semiSync(name: String) {
        func facts(_ more: [String: String] = [:], replicas: String = "1", status: String = "ON") -> ServerFacts {
            Self.facts(
                [name + "_enabled": "ON", name + "_wait_point": "AFTER_SYNC", name + "_timeout": "1000000000"]
                    .merging(more) { $1 }, status: [name + "_clients": replicas, name + "_status": status])
        }
        #expect(Self.lines(facts()).level == .ok)
        #expect(Self.said(facts([name + "_wait_point": "AFTER_COMMIT"]), of: name + "_wait_point") == .bad)
        #expect(Self.said(facts([name + "_timeout": "10000"]), of: name + "_timeout") == .warn)
        #expect(Self.said(facts(replicas: "0"), of: name + "_clients") == .bad)
        #expect(Self.said(facts(status: "OFF"), of: name + "_status") == .bad)
    }

    // MARK: Several hosts

    @Test func whoTakesWrites() {
        func level(_ hosts: ServerFacts..., subject: String = "writers") -> CheckLine.Level? {
            CheckRules.together(hosts, place: "all").filter { $0.subject == subject }.map(\.level).max()
        }
        let one = Self.facts()
        let replica = Self.facts(["read_only": "ON"], address: "db2:3306", identities: ["two"])
        let other = Self.facts(address: "db3:3306", identities: ["three"])
        #expect(level(one, replica) == .ok)
        #expect(level(one, other) == .bad)
        #expect(level(replica) == .bad)
        var node = Self.galera()
        node.identities = ["four"]
        #expect(level(Self.galera(), node) == .ok)
        #expect(level(Self.galera(), other) == .bad)
        #expect(level(one, replica, subject: "replication") == .warn)
        #expect(level(Self.galera(), node, subject: "replication") == nil)
    }

    // MARK: Grants

    @Test(
        arguments: [
            (["GRANT ALL PRIVILEGES ON *.* TO `root`@`%` WITH GRANT OPTION"], [], ["ALL PRIVILEGES"]),
            (
                [
                    "GRANT USAGE ON *.* TO `kite`@`%`",
                    "GRANT SELECT, INSERT, UPDATE, DELETE ON `kite\\_%`.* TO `kite`@`%`",
                ], [], []
            ),
            (["GRANT SELECT, INSERT ON `kite_0`.* TO `kite`@`%`"], ["UPDATE", "DELETE"], []),
            (
                ["GRANT SELECT, INSERT, UPDATE, DELETE ON `kite\\_1`.* TO `kite`@`%`"],
                ["SELECT", "INSERT", "UPDATE", "DELETE"], []
            ),
            (
                ["GRANT SELECT, INSERT, UPDATE, DELETE, SUPER, CONNECTION ADMIN, READ_ONLY ADMIN ON *.* TO `k`@`%`"],
                [],
                ["SUPER", "READ ONLY ADMIN", "CONNECTION ADMIN"]
            ),
            (
                ["GRANT CONNECTION_ADMIN ON *.* TO `k`@`%`", "GRANT ALL PRIVILEGES ON `kite\\_0`.* TO `k`@`%`"], [],
                ["CONNECTION ADMIN"]
            ),
            (["GRANT SELECT (a, b), INSERT ON `kite_0`.`t` TO `k`@`%`"], ["SELECT", "INSERT", "UPDATE", "DELETE"], []),
        ] as [([String], [String], [String])])
    func grants(lines: [String], lacks: [String], above: [String]) {
        let grants = Grants(lines)
        #expect(grants.lacks(["SELECT", "INSERT", "UPDATE", "DELETE"], in: "kite_0") == lacks)
        #expect(grants.aboveReadOnly == above)
        #expect(!grants.hasRoles)
    }

    @Test func rolesAreNotLookedAt() {
        #expect(Grants(["GRANT `writer`@`%` TO `kite`@`%`"]).hasRoles)
        var facts = Self.facts()
        facts.grants = ["GRANT `writer`@`%` TO `kite`@`%`"]
        #expect(Self.said(facts, of: "grants") == .warn)
    }

    // MARK: Tables, clock, snapshots

    @Test func tables() {
        let map = ShardMap(shards: 2)
        var tables = CheckRules.Tables()
        func level(_ subject: String) -> CheckLine.Level? {
            CheckRules.tables(tables, place: "kite_0", map: map).first { $0.subject == subject }?.level
        }
        #expect(level("tables") == .bad)
        tables.applied = Migration.all.reduce(into: [:]) { $0[$1.version] = $1.checksum }
        tables.slots = map.slots.map(Int64.init)
        tables.skipsLocked = true
        #expect(CheckRules.tables(tables, place: "kite_0", map: map).level == .ok)
        tables.skipsLocked = false
        #expect(level("SKIP LOCKED") == .bad)
        tables.slots = ShardMap(shards: 1).slots.map(Int64.init)
        #expect(level("slots") == .bad)
        tables.applied?[99] = 1
        #expect(level("tables") == .bad)
        tables.applied?[99] = nil
        tables.applied?[2] = nil
        #expect(level("tables") == .bad)
    }

    @Test func clocksAndOpenTransactions() {
        var facts = Self.facts()
        facts.clockLead = -5_000
        facts.clockError = 10
        #expect(Self.said(facts, of: "clock") == .warn)
        facts.clockLead = 1_500
        #expect(Self.said(facts, of: "clock") == .ok)
        facts.oldestTransaction = .known(4_000)
        facts.historyLength = .known(2_000_000)
        #expect(Self.said(facts, of: "open transactions") == .warn)
        #expect(Self.said(facts, of: "history list") == .warn)
        facts.oldestTransaction = .needs("PROCESS")
        #expect(Self.said(facts, of: "open transactions") == .ok)
    }
}
