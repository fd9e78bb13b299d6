import KiteQCore
package import Logging
import MariaDB

/// Brings the shard databases to the schema that this version needs.
///
/// It is safe to run again, after a crash in the middle, and by two at once: each statement may be repeated, and a lock by
/// name (GET_LOCK) is held in each shard meanwhile. It goes forward only.
package struct Migrator: Sendable {
    private let configuration: MySQLStoreConfiguration
    private let migrations: [Migration]
    private let logger: Logger

    package init(
        _ configuration: MySQLStoreConfiguration, migrations: [Migration] = Migration.all, logger: Logger
    ) {
        self.configuration = configuration
        self.migrations = migrations
        self.logger = logger
    }

    /// What was done in one shard.
    package struct Report: Sendable, Hashable {
        package var database: String
        package var applied: [String]
    }

    /// Applies what is missing in each shard, one after the other; begins with none before all were looked at.
    /// - Throws: `StoreError`, a sentence that says in which shard.
    package func run() async throws -> [Report] {
        for (number, shard) in configuration.shards.enumerated() {
            try await onServer(number, shard) { connection in try check(shard, on: connection) }
        }
        var reports: [Report] = []
        for (number, shard) in configuration.shards.enumerated() {
            let database = shard.database ?? ""
            let applied = try await onServer(number, shard) { try apply(to: database, on: $0) }
            reports.append(Report(database: database, applied: applied))
        }
        return reports
    }

    // MARK: One shard

    private func onServer<Result: Sendable>(
        _ number: Int, _ shard: MariaDBConfiguration,
        _ body: @escaping @Sendable (isolated MariaDBConnection) throws -> Result
    ) async throws -> Result {
        var server = shard
        server.database = nil
        server.requiresWrites = true
        // A table that has grown takes its time to be changed, and another migration's lock is waited for.
        server.readTimeout = max(server.readTimeout, .seconds(3_600))
        server.sessionStatements += MigrationSession.statements
        var limits = MariaDBPoolConfiguration()
        limits.maxConnections = 1
        let pool = MariaDBPool(server, pool: limits, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await pool.run() }
            defer { tasks.cancelAll() }
            do {
                return try await pool.withConnection { try body($0) }
            } catch let error as MariaDBError {
                throw StoreError(
                    .failed, "cannot migrate shard \(number) (\(shard)): \(error)", underlying: error)
            }
        }
    }

    /// Looks for what the tables cannot be made with, before anything is changed.
    private func check(_ shard: MariaDBConfiguration, on connection: isolated MariaDBConnection) throws {
        var settings: [String: String] = [:]
        for row in try connection.query(MigrationSession.settings) {
            settings[try row.text(0).lowercased()] = try row.text(1)
        }
        let hasInnoDB = try !connection.query(MigrationSession.engine).isEmpty
        if let problem = MigrationSession.problem(settings, connection.server, hasInnoDB: hasInnoDB) {
            throw StoreError(.failed, "\(shard) cannot be migrated, and nothing was changed: \(problem)")
        }
        if let warning = MigrationSession.warning(settings) { logger.warning("\(shard): \(warning)") }
    }

    private func apply(to database: String, on connection: isolated MariaDBConnection) throws -> [String] {
        try useDatabase(database, on: connection)
        // MySQL takes 64 characters: the end of a long name tells the shards apart.
        let lock = String("kiteq migrate \(database)".suffix(64))
        guard try connection.query("SELECT GET_LOCK(?, 60)", [.text(lock)]).first?.int(0) == 1 else {
            throw StoreError(.unavailable, "another migration of \(database) has been running for a minute")
        }
        defer {
            // The server lets go of it with the connection in any case.
            do { _ = try connection.query("SELECT RELEASE_LOCK(?)", [.text(lock)]) } catch { logger.debug("\(error)") }
        }
        try connection.simple(Self.trackingTable)
        let known = try appliedVersions(on: connection)
        if let newer = known.keys.filter({ version in !migrations.contains { $0.version == version } }).max() {
            throw StoreError(
                .failed,
                "\(database) has migration \(newer), which this version of kiteq does not know: use a newer one")
        }
        var applied: [String] = []
        for migration in migrations.sorted(by: { $0.version < $1.version }) {
            if let checksum = known[migration.version] {
                guard checksum == migration.checksum else {
                    throw StoreError(
                        .failed,
                        "\(migration.name) was changed after it was applied to \(database): migrations are never edited, add one"
                    )
                }
                continue
            }
            for statement in migration.statements { try connection.simple(statement) }
            try connection.execute(
                "INSERT INTO kite_migration (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)",
                [.int(migration.version), .text(migration.name), .int(migration.checksum), .int(StoreClock.wall())])
            applied.append(migration.name)
        }
        try writeSlots(database, on: connection)
        return applied
    }

    private func useDatabase(_ database: String, on connection: isolated MariaDBConnection) throws {
        let exists = try !connection.query(
            "SELECT schema_name FROM information_schema.schemata WHERE schema_name = ?", [.text(database)]
        ).isEmpty
        if !exists { try connection.simple(Self.createDatabase(database)) }
        try connection.simple("USE `\(database)`")
    }

    private func appliedVersions(on connection: isolated MariaDBConnection) throws -> [Int: Int64] {
        var known: [Int: Int64] = [:]
        for row in try connection.query("SELECT version, checksum FROM kite_migration") {
            known[Int(try row.int(0))] = try row.int(1)
        }
        return known
    }

    private func writeSlots(_ database: String, on connection: isolated MariaDBConnection) throws {
        let wanted = ShardMap(shards: configuration.shards.count).slots.map(Int64.init)
        let stored = try connection.query("SELECT slot, shard FROM kite_slot ORDER BY slot").map { try $0.int(1) }
        if stored == wanted { return }
        guard stored.isEmpty else {
            throw StoreError(
                .failed,
                "\(database) was set up for \(Set(stored).count) shards, the configuration has \(configuration.shards.count): messages would be looked for in the wrong place"
            )
        }
        var rows = MariaDBBatch([.int, .int, .int])
        for (slot, shard) in wanted.enumerated() {
            rows.append(Int64(slot))
            rows.append(shard)
            rows.append(1)
        }
        let batch = rows
        try connection.transaction {
            try connection.insert(into: "INSERT INTO kite_slot (slot, shard, version)", batch)
        }
    }

    // MARK: Printing

    private static let trackingTable = """
        CREATE TABLE IF NOT EXISTS kite_migration (
            version    INT UNSIGNED   NOT NULL,
            name       VARBINARY(255) NOT NULL,
            checksum   BIGINT         NOT NULL,
            applied_at BIGINT         NOT NULL COMMENT 'Unix ms',
            PRIMARY KEY (version)
        ) ENGINE = InnoDB ROW_FORMAT = DYNAMIC COMMENT = 'KiteQ: migrations applied here'
        """

    private static func createDatabase(_ name: String) -> String {
        "CREATE DATABASE IF NOT EXISTS `\(name)` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
    }

    /// All statements as a script for the mysql client, for a DBA who applies them by hand; `kiteq migrate` afterwards finds
    /// nothing to do.
    package func script() -> String {
        var lines = ["-- What follows does not depend on what the server's sessions begin with."]
        lines += MigrationSession.statements.map { $0 + ";" }
        lines.append("")
        for (number, shard) in configuration.shards.enumerated() {
            let database = shard.database ?? ""
            lines.append("-- Shard \(number): \(shard.servers.map(\.description).joined(separator: ", "))")
            lines.append(Self.createDatabase(database) + ";")
            lines.append("USE `\(database)`;")
            lines.append(Self.trackingTable + ";")
            for migration in migrations {
                lines += migration.statements.map { $0 + ";" }
                lines.append(
                    "INSERT IGNORE INTO kite_migration VALUES (\(migration.version), '\(migration.name)', \(migration.checksum), UNIX_TIMESTAMP() * 1000);"
                )
            }
            let slots = ShardMap(shards: configuration.shards.count).slots.enumerated()
                .map { "(\($0.offset),\($0.element),1)" }.joined(separator: ",")
            lines.append("INSERT IGNORE INTO kite_slot (slot, shard, version) VALUES \(slots);")
            lines.append("GRANT SELECT, INSERT, UPDATE, DELETE ON `\(database)`.* TO '\(shard.user)'@'%';")
            lines.append("")
        }
        return lines.joined(separator: "\n")
    }
}
