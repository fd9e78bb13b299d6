/// What the server at the other end is.
public struct MariaDBServer: Sendable, Hashable {
    public enum Kind: Sendable, Hashable, CustomStringConvertible {
        case mariaDB, mySQL

        /// The product's name.
        public var description: String { self == .mariaDB ? "MariaDB" : "MySQL" }
    }

    public let kind: Kind
    /// Major, minor, patch.
    public let version: [Int]
    /// As the server says it.
    public let versionText: String

    /// Reads the text of `SELECT VERSION()`, such as `10.11.14-MariaDB-0+deb12u2` or `9.7.0`.
    init(_ text: String) {
        versionText = text
        kind = text.contains("MariaDB") ? .mariaDB : .mySQL
        // Old replication-safe versions begin with 5.5.5-.
        let number = text.hasPrefix("5.5.5-") ? text.dropFirst(6) : text[...]
        version = number.prefix { $0.isNumber || $0 == "." }.split(separator: ".").prefix(3).compactMap { Int($0) }
    }

    public func isAtLeast(_ major: Int, _ minor: Int) -> Bool {
        !version.lexicographicallyPrecedes([major, minor])
    }
}

// MARK: - Products

/// The product behind the protocol. Several speak MySQL's and are something else.
///
/// What each is told by: its own documentation, and its sources where those are public (TiDB, Vitess, OceanBase).
public enum ServerProduct: String, Sendable, Hashable, CaseIterable {
    case mariaDB = "MariaDB"
    case mySQL = "MySQL"
    /// MySQL's, with Galera and with rules of its own about what is allowed (`pxc_strict_mode`).
    case perconaXtraDBCluster = "Percona XtraDB Cluster"
    case aurora = "Amazon Aurora MySQL"
    case oceanBase = "OceanBase"
    case dolt = "Dolt"
    case tiDB = "TiDB"
    case vitess = "Vitess"
    case singleStore = "SingleStore"

    /// What a product alone has, beside its texts, which a setting or a proxy may change.
    public enum Tell: Sendable, Hashable {
        /// A system variable of this name, in small letters.
        case variable(String)
        /// `SELECT tidb_version()` has an answer.
        case tidbVersion
        /// `SHOW VITESS_SHARDS` has an answer.
        case vitessShards
    }

    /// System variables that tell.
    static let tellingVariables: [String: ServerProduct] = [
        "tidb_current_ts": .tiDB, "tidb_txn_mode": .tiDB, "memsql_version": .singleStore,
        "ob_query_timeout": .oceanBase,
        "aurora_version": .aurora, "pxc_strict_mode": .perconaXtraDBCluster, "dolt_version": .dolt,
    ]

    /// - Parameters:
    ///   - version: what `SELECT VERSION()` says, or the server's greeting.
    ///   - comment: what `SELECT @@version_comment` says; empty where it was not asked.
    ///   - tells: those that were found; none where nobody asked.
    public init(version: String, comment: String = "", tells: Set<Tell> = []) {
        let text = (version + "\n" + comment).lowercased()
        func says(_ words: String...) -> Bool { words.contains { text.contains($0) } }
        let variables = Set(
            tells.compactMap { tell -> ServerProduct? in
                guard case .variable(let name) = tell else { return nil }
                return Self.tellingVariables[name]
            })
        // First what would do harm.
        if tells.contains(.tidbVersion) || variables.contains(.tiDB) || says("tidb") {
            self = .tiDB
        } else if tells.contains(.vitessShards) || says("vitess", "planetscale") {
            self = .vitess
        } else if variables.contains(.singleStore) || says("singlestore", "memsql") {
            self = .singleStore
        } else if variables.contains(.oceanBase) || says("oceanbase") {
            self = .oceanBase
        } else if variables.contains(.dolt) || says("dolt") {
            self = .dolt
        } else if variables.contains(.aurora) || says("aurora") {
            self = .aurora
        } else if variables.contains(.perconaXtraDBCluster) || says("xtradb cluster") {
            self = .perconaXtraDBCluster
        } else {
            self = MariaDBServer(version).kind == .mariaDB ? .mariaDB : .mySQL
        }
    }

    /// Why nothing may be stored there: a sentence with what to do. Nil where it may.
    public var refusal: String? {
        let reason: String
        switch self {
        case .mariaDB, .mySQL, .perconaXtraDBCluster, .aurora, .oceanBase, .dolt: return nil
        case .tiDB: reason = "it takes FOR UPDATE SKIP LOCKED and does not skip what is locked"
        case .vitess:
            reason =
                "its sessions are not those of one server, so that a broker cannot tell whether another one's transaction is over"
        case .singleStore: reason = "it has no InnoDB, no SKIP LOCKED, and no second unique key in a table"
        }
        return
            "the database is \(rawValue), which KiteQ does not work with: \(reason); use MySQL or MariaDB (docs/databases.md)"
    }

    /// What was not tried: a sentence. Nil for what was, and for what is refused.
    public var caution: String? {
        switch self {
        case .mariaDB, .mySQL, .tiDB, .vitess, .singleStore: nil
        case .perconaXtraDBCluster, .aurora, .oceanBase, .dolt:
            "the database is \(rawValue), with which KiteQ was not tried (docs/databases.md)"
        }
    }
}
