import KiteQCore
import MariaDB

/// What a migration does, as statements: for a DBA who applies them by hand, and for the migration itself.
extension Migrator {
    static let trackingTable = """
        CREATE TABLE IF NOT EXISTS kite_migration (
            version    INT UNSIGNED   NOT NULL,
            name       VARBINARY(255) NOT NULL,
            checksum   BIGINT         NOT NULL,
            applied_at BIGINT         NOT NULL COMMENT 'Unix ms',
            PRIMARY KEY (version)
        ) ENGINE = InnoDB ROW_FORMAT = DYNAMIC COMMENT = 'KiteQ: migrations applied here'
        """

    static func createDatabase(_ name: String) -> String {
        "CREATE DATABASE IF NOT EXISTS `\(name)` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
    }

    /// So many rows are written at once, by a statement that is its own transaction: a cluster may take few
    /// (`wsrep_max_ws_rows`).
    static let rowsAtOnce = 16

    static func insertSlots(_ slots: some Collection<(slot: Int, shard: UInt8)>) -> String {
        "INSERT IGNORE INTO kite_slot (slot, shard, version) VALUES "
            + slots.map { "(\($0.slot),\($0.shard),1)" }.joined(separator: ",")
    }

    /// All statements as a script for the mysql client; `kiteq migrate` afterwards finds nothing to do.
    ///
    /// Each may be run again. The script takes no lock: whoever runs it sees to it that nobody else migrates meanwhile.
    package func script() -> String {
        var lines = [
            "-- What follows does not depend on what the server's sessions begin with. It may be run again; run it once at a time."
        ]
        lines += MigrationSession.statements.map { $0 + ";" }
        lines.append("")
        for (number, shard) in configuration.shards.enumerated() {
            let database = shard.database ?? ""
            lines.append("-- Shard \(number): \(shard.servers.map(\.description).joined(separator: ", "))")
            lines.append(Self.createDatabase(database) + ";")
            lines.append("USE `\(database)`;")
            lines.append(Self.trackingTable + ";")
            lines.append(MigrationLock.table + ";")
            lines.append(MigrationLock.row + ";")
            for migration in migrations {
                lines += migration.statements.map { $0 + ";" }
                lines.append(
                    "INSERT IGNORE INTO kite_migration VALUES (\(migration.version), '\(migration.name)', \(migration.checksum), UNIX_TIMESTAMP() * 1000);"
                )
            }
            let slots = ShardMap(shards: configuration.shards.count).slots.enumerated()
                .map { (slot: $0.offset, shard: $0.element) }
            for start in stride(from: 0, to: slots.count, by: Self.rowsAtOnce) {
                lines.append(Self.insertSlots(slots[start..<min(start + Self.rowsAtOnce, slots.count)]) + ";")
            }
            lines.append("GRANT SELECT, INSERT, UPDATE, DELETE ON `\(database)`.* TO '\(shard.user)'@'%';")
            lines.append("")
        }
        return lines.joined(separator: "\n")
    }
}
