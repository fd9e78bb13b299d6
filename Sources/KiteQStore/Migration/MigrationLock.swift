import KiteQCore
import MariaDB
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// One process at a time migrates a database, whichever node of a cluster it talks to.
///
/// GET_LOCK knows the callers of one server alone; a row is changed by one of two nodes, and the other one is told so at COMMIT.
/// The row is released, or not renewed any more and then anybody's: ``MigrationWatch``.
final class MigrationLock: Sendable {
    /// How long things take.
    struct Times: Sendable, Hashable {
        /// Without a renewal the lock is anybody's after this.
        var lease: Duration = .seconds(30)
        /// Between two renewals.
        var renewal: Duration = .seconds(5)
        /// Between two looks at a lock that somebody else has.
        var look: Duration = .milliseconds(300)
        /// How long one that is renewed is waited for.
        var patience: Duration = .seconds(3_600)
    }

    /// What the table says.
    struct Row: Sendable, Hashable {
        /// Empty: nobody's.
        var owner: String
        /// Unix milliseconds by the server's clock.
        var leaseUntil: Timestamp
    }

    /// Another migration has taken the lock, since this one did not renew it.
    struct Lost: Error {
        var owner: String
    }

    let owner: String
    private let times: Times
    /// When it was last renewed.
    private let renewedAt: Mutex<MonotonicTime>

    init(owner: String = MigrationLock.thisProcess, times: Times) {
        self.owner = owner
        self.times = times
        renewedAt = Mutex(StoreClock.monotonic())
    }

    /// For a person who asks who it is, and unlike any other.
    static var thisProcess: String {
        var name = [CChar](repeating: 0, count: 256)
        // A name that is cut off has no end of its own.
        let host =
            gethostname(&name, name.count - 1) == 0
            ? String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : "a host"
        return "\(host.prefix(120)) (process \(getpid()), \(String(UInt32.random(in: .min ... .max), radix: 16)))"
    }

    // MARK: The row

    static let table = """
        CREATE TABLE IF NOT EXISTS kite_migration_lock (
            id          TINYINT UNSIGNED NOT NULL,
            owner       VARBINARY(255)   NOT NULL COMMENT 'who migrates; empty: nobody',
            lease_until BIGINT           NOT NULL COMMENT 'Unix ms by this server''s clock',
            PRIMARY KEY (id)
        ) ENGINE = InnoDB ROW_FORMAT = DYNAMIC COMMENT = 'KiteQ: who migrates'
        """
    static let row = "INSERT IGNORE INTO kite_migration_lock (id, owner, lease_until) VALUES (1, '', 0)"

    private static let look = "SELECT owner, lease_until, \(SQL.serverNow) FROM kite_migration_lock WHERE id = 1"
    private static let claim = """
        UPDATE kite_migration_lock SET owner = ?, lease_until = \(SQL.serverNow) + ? \
        WHERE id = 1 AND owner = ? AND lease_until = ?
        """
    private static let renewal = """
        UPDATE kite_migration_lock SET lease_until = \(SQL.serverNow) + ? WHERE id = 1 AND owner = ?
        """
    private static let release = """
        UPDATE kite_migration_lock SET owner = '', lease_until = 0 WHERE id = 1 AND owner = ?
        """

    /// - Returns: what is there, and the server's time; nil where the row is gone.
    static func look(
        _ database: String, on connection: isolated MariaDBConnection
    ) throws -> (row: Row, now: Timestamp)? {
        try connection.simple("USE `\(database)`")
        return try connection.query(look).first.map { row in
            (Row(owner: try row.text(0), leaseUntil: try row.int(1)), try row.int(2))
        }
    }

    /// Takes it where it is still as it was seen. Being told that it is one's own already is being told of a lost reply.
    /// - Throws: `MariaDBError`, also where another node was quicker (`isDeadlock`).
    func take(_ seen: Row, _ database: String, on connection: isolated MariaDBConnection) throws -> Bool {
        try connection.simple("USE `\(database)`")
        let before = StoreClock.monotonic()
        if seen.owner != owner {
            let changed = try connection.execute(
                Self.claim, [.text(owner), leaseTime, .text(seen.owner), .int(seen.leaseUntil)])
            guard changed.affectedRows == 1 else { return false }
        }
        renewedAt.withLock { $0 = before }
        return true
    }

    /// - Throws: ``Lost``; `MariaDBError`.
    func renew(_ database: String, on connection: isolated MariaDBConnection) throws {
        try connection.simple("USE `\(database)`")
        let before = StoreClock.monotonic()
        let changed = try connection.execute(Self.renewal, [leaseTime, .text(owner)]).affectedRows
        // Two renewals within a millisecond are no change.
        if changed == 0, let found = try Self.look(database, on: connection)?.row.owner, found != owner {
            throw Lost(owner: found)
        }
        renewedAt.withLock { $0 = max($0, before) }
    }

    /// Renews it where that was not done of late: whoever was stopped for a while must not go on as if nothing had been.
    func confirm(_ database: String, on connection: isolated MariaDBConnection) throws {
        let age = StoreClock.monotonic() - renewedAt.withLock { $0 }
        if age > MonotonicTime(times.renewal / .nanoseconds(1)) { try renew(database, on: connection) }
    }

    func release(_ database: String, on connection: isolated MariaDBConnection) throws {
        try connection.simple("USE `\(database)`")
        try connection.execute(Self.release, [.text(owner)])
    }

    private var leaseTime: MariaDBValue { .int(Int64(times.lease / .milliseconds(1))) }
}

/// Whether a lock that somebody has is anybody's: the rule for those who wait for it.
///
/// The lease is in the server's time, and each node of a cluster has its own. So an expired one counts when the row was also seen
/// to hold still for a while, and one that does not expire (the owner's server was ahead) when it held still for a whole lease.
struct MigrationWatch {
    let times: MigrationLock.Times
    private var seen: (row: MigrationLock.Row, since: MonotonicTime)?

    init(_ times: MigrationLock.Times) { self.times = times }

    /// - Parameters:
    ///   - row: as it is now.
    ///   - server: the server's time, Unix milliseconds.
    ///   - now: nanoseconds by this machine's clock.
    mutating func isFree(_ row: MigrationLock.Row, server: Timestamp, now: MonotonicTime) -> Bool {
        if row.owner.isEmpty { return true }
        guard let seen, seen.row == row else {
            self.seen = (row, now)
            return false
        }
        let quiet = Duration.nanoseconds(now - seen.since)
        return quiet >= times.lease || row.leaseUntil <= server && quiet >= times.renewal * 2
    }
}
