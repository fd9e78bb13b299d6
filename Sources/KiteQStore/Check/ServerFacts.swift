import KiteQCore
import MariaDB

/// What a server says of itself to the broker's user; nothing of it is judged here.
struct ServerFacts: Sendable {
    /// What only some users may see.
    enum Seen<Value: Sendable & Hashable>: Sendable, Hashable {
        case known(Value)
        /// The privilege that it takes.
        case needs(String)
    }

    struct Member: Sendable, Hashable {
        var state: String
        var role: String
        var isThisOne: Bool
    }

    /// `host:port`
    var address: String
    var product: ServerProduct
    var server: MariaDBServer
    /// Which server each of several connections met, opened one after the other and open at the same time.
    var identities: [String] = []
    /// By their names, in small letters.
    var variables: [String: String] = [:]
    var status: [String: String] = [:]
    /// As `SHOW GRANTS` has them.
    var grants: [String] = []
    /// How far the server's clock is ahead of this machine's, milliseconds, and how exactly that is known.
    var clockLead: Timestamp = 0
    var clockError: Timestamp = 0
    /// Of group replication; empty where there is none.
    var members: Seen<[Member]> = .known([])
    /// Versions of rows that are kept for somebody's open snapshot.
    var historyLength: Seen<Int64> = .known(0)
    /// Seconds since the oldest open transaction began.
    var oldestTransaction: Seen<Int64> = .known(0)

    func isOn(_ name: String) -> Bool { ["ON", "1", "YES"].contains(variables[name, default: ""].uppercased()) }
    func number(_ name: String) -> Int64? { variables[name].flatMap { Int64($0) } }
    func statusNumber(_ name: String) -> Int64? { status[name].flatMap { Int64($0) } }

    var takesWrites: Bool {
        // Newest MariaDB has words beside OFF and ON for read_only.
        ["", "OFF", "0"].contains(variables["read_only", default: ""].uppercased())
            && !["super_read_only", "innodb_read_only"].contains { isOn($0) }
    }
    var isGalera: Bool { isOn("wsrep_on") && !["", "none"].contains(variables["wsrep_provider", default: "none"]) }
    var isGroupReplication: Bool { !(variables["group_replication_group_name"] ?? "").isEmpty }
    /// What all servers of one cluster have in common; nil where it is of none.
    var cluster: String? {
        if isGalera, let uuid = status["wsrep_cluster_state_uuid"], !uuid.isEmpty { return "galera " + uuid }
        if isGroupReplication { return "group " + (variables["group_replication_group_name"] ?? "") }
        return nil
    }
}

// MARK: - Asking

extension ServerFacts {
    /// - Throws: `MariaDBError`
    init(of address: String, on connection: isolated MariaDBConnection) throws {
        self.address = address
        product = try connection.product()
        server = connection.server
        for row in try connection.simpleRows("SHOW GLOBAL VARIABLES") {
            variables[try row.text(0).lowercased()] = try Self.text(row, 1)
        }
        for row in try connection.simpleRows("SHOW GLOBAL STATUS") {
            status[try row.text(0).lowercased()] = try Self.text(row, 1)
        }
        grants = try connection.simpleRows("SHOW GRANTS").map { try Self.text($0, 0) }
        let reading = try Shard.readClock(on: connection)
        clockError = (reading.receivedAt - reading.sentAt) / 1_000_000 + 1
        clockLead = reading.server - reading.wall
        if !(variables["group_replication_group_name"] ?? "").isEmpty {
            members = try Self.seen("SELECT on performance_schema.replication_group_members", on: connection) {
                try connection.simpleRows(
                    """
                    SELECT member_state, member_role, member_id = @@server_uuid \
                    FROM performance_schema.replication_group_members
                    """
                ).map {
                    Member(
                        state: try Self.text($0, 0), role: try Self.text($0, 1), isThisOne: try Self.text($0, 2) == "1")
                }
            }
        }
        historyLength = try Self.seen("PROCESS", on: connection) {
            try connection.simpleRows(
                "SELECT count FROM information_schema.innodb_metrics WHERE name = 'trx_rseg_history_len'"
            ).first?.int(0) ?? 0
        }
        oldestTransaction = try Self.seen("PROCESS", on: connection) {
            try connection.simpleRows(
                """
                SELECT COALESCE(MAX(TIMESTAMPDIFF(SECOND, trx_started, NOW())), 0) FROM information_schema.innodb_trx
                """
            ).first?.int(0) ?? 0
        }
    }

    /// NULL is nothing here.
    private static func text(_ row: MariaDBRow, _ column: Int) throws -> String {
        String(decoding: try row.optionalBytes(column) ?? [], as: UTF8.self)
    }

    /// - Parameter privilege: what an error is taken to say.
    private static func seen<Value: Sendable>(
        _ privilege: String, on connection: isolated MariaDBConnection, _ body: () throws -> Value
    ) throws -> Seen<Value> {
        do {
            return .known(try body())
        } catch let error as MariaDBError where [1044, 1142, 1143, 1227].contains(error.code) {
            return .needs(privilege)
        }
    }
}
