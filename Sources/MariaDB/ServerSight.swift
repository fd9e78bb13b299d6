/// What one look at one address of a database found.
struct ServerSight: Sendable {
    enum State: Sendable {
        /// It takes writes, by its own word.
        case fit
        /// As a whole it takes none: a replica, or a primary that was demoted.
        case readOnly
        /// A member of a cluster that has lost the others, or has not joined them yet; the reason.
        case unready(String)
        /// No connection, or one that does not answer.
        case away(MariaDBError)
    }

    var address: MariaDBConfiguration.Server
    /// Empty where it is away.
    var identity = ""
    var cluster: MariaDBCluster?
    var state: State
    /// Who says in the tables of this very server where they work.
    var witnesses: [ServerWitness] = []

    var isFit: Bool {
        if case .fit = state { true } else { false }
    }
}

/// A process that uses the same database, as the database's own rows have it: at which server it works.
public struct ServerWitness: Sendable, Hashable {
    /// The smallest has the say where several servers would do.
    public var rank: Int64
    /// `serverMark(of:)` of that server.
    public var mark: String

    public init(rank: Int64, mark: String) {
        self.rank = rank
        self.mark = mark
    }
}

/// A short name for a server's identity, the same in every process: FNV-1a.
public func serverMark(of identity: String) -> String {
    String(
        identity.utf8.reduce(14_695_981_039_346_656_037 as UInt64) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 },
        radix: 16)
}

extension Session {
    /// How fit its server is for a process that wants to write.
    ///
    /// - Parameter asksCluster: whether a member of a group is asked for more than its own word: it has to be heard by the others.
    ///   One that was cut off calls itself writable, and its commits hang; so does what is asked here, until the read timeout.
    /// - Throws: `MariaDBError` where it does not answer.
    func sight(asksCluster: Bool) throws -> ServerSight {
        var sight = ServerSight(address: address, identity: thread.serverIdentity, cluster: cluster, state: .fit)
        if try isReadOnly() {
            sight.state = .readOnly
        } else if let reason = try whyUnready() ?? (asksCluster ? whyAlone() : nil) {
            sight.state = .unready(reason)
        }
        return sight
    }

    /// Whether the server as a whole takes no writes: it is a replica, or is being one. That the user may write all the same is
    /// no reason to.
    func isReadOnly() throws -> Bool {
        let settings = try rows("SELECT @@global.read_only, @@global.innodb_read_only").first
        // A number with most servers, a word with the newest MariaDB.
        return try [settings?.text(0), settings?.text(1)].contains { $0 != "0" && $0 != "OFF" }
    }

    /// Why a Galera node serves nobody; nil for a node that does, and for servers without Galera.
    private func whyUnready() throws -> String? {
        guard case .galera = cluster else { return nil }
        let status = try wsrepStatus()
        if status["wsrep_cluster_status"] != "Primary" { return "it has lost its cluster (wsrep_cluster_status)" }
        if status["wsrep_ready"] != "ON" { return "its cluster node is not ready (wsrep_ready)" }
        return nil
    }

    /// Why a member of group replication works apart from its group; nil for one that does not, as far as can be seen.
    private func whyAlone() throws -> String? {
        guard case .groupReplication(let name, _) = cluster else { return nil }
        do {
            let state = try rows(
                "SELECT MEMBER_STATE FROM performance_schema.replication_group_members WHERE MEMBER_ID = @@server_uuid"
            ).first?.text(0)
            if !["ONLINE", "RECOVERING"].contains(state) { return "it is outside of its group \(name)" }
        } catch let error as MariaDBError where !error.isConnectionLost {
            // The user may not see the members. What is asked below tells of a lost majority all the same.
        }
        do {
            for statement in [MariaDBCluster.syncGroupReads, "BEGIN", "COMMIT", MariaDBCluster.resetGroupReads] {
                try simple(statement)
            }
            return nil
        } catch let error as MariaDBError {
            return "its group \(name) does not answer it: \(error.message)"
        }
    }

    private func wsrepStatus() throws -> [String: String] {
        try settings("SHOW GLOBAL STATUS", ["wsrep_ready", "wsrep_cluster_status", "wsrep_cluster_state_uuid"])
    }

    /// The cluster of the server; nil where it is in none.
    func findCluster() throws -> MariaDBCluster? {
        let found = try settings(
            "SHOW GLOBAL VARIABLES",
            ["wsrep_on", "group_replication_group_name", "group_replication_single_primary_mode"])
        if found["wsrep_on"] == "ON" { return .galera(try wsrepStatus()["wsrep_cluster_state_uuid"] ?? "") }
        guard let name = found["group_replication_group_name"], !name.isEmpty else { return nil }
        return .groupReplication(name, singlePrimary: found["group_replication_single_primary_mode"] != "OFF")
    }

    private func settings(_ statement: String, _ names: [String]) throws -> [String: String] {
        let list = names.map { "'\($0)'" }.joined(separator: ", ")
        var settings: [String: String] = [:]
        for row in try rows("\(statement) WHERE Variable_name IN (\(list))") {
            settings[try row.text(0).lowercased()] = try row.text(1)
        }
        return settings
    }
}
