import KiteQCore
package import Logging
import MariaDB

/// Brings the shard databases to the schema that this version needs.
///
/// It is safe to run again, after a crash in the middle, and by several at once, be it at several nodes of a cluster: each
/// statement may be repeated, and a lock is held in each shard meanwhile (``MigrationLock``). It goes forward only.
package struct Migrator: Sendable {
    let configuration: MySQLStoreConfiguration
    let migrations: [Migration]
    private let logger: Logger
    private let times: MigrationLock.Times

    package init(
        _ configuration: MySQLStoreConfiguration, migrations: [Migration] = Migration.all, logger: Logger
    ) {
        self.init(configuration, migrations: migrations, times: .init(), logger: logger)
    }

    init(
        _ configuration: MySQLStoreConfiguration, migrations: [Migration] = Migration.all, times: MigrationLock.Times,
        logger: Logger
    ) {
        self.configuration = configuration
        self.migrations = migrations.sorted { $0.version < $1.version }
        self.times = times
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
            try await onServer(number, shard) { pool in
                try await pool.withConnection { try check(shard, on: $0) }
            }
        }
        var reports: [Report] = []
        for (number, shard) in configuration.shards.enumerated() {
            let database = shard.database ?? ""
            let applied = try await onServer(number, shard) { try await apply(to: database, through: $0) }
            reports.append(Report(database: database, applied: applied))
        }
        return reports
    }

    // MARK: One shard

    private func onServer<Result: Sendable>(
        _ number: Int, _ shard: MariaDBConfiguration, _ body: @escaping @Sendable (MariaDBPool) async throws -> Result
    ) async throws -> Result {
        var server = shard
        server.database = nil
        server.requiresWrites = true
        // A table that has grown takes its time to be changed.
        server.readTimeout = max(server.readTimeout, .seconds(3_600))
        server.sessionStatements += MigrationSession.statements
        var limits = MariaDBPoolConfiguration()
        // One works, and one renews the lock meanwhile.
        limits.maxConnections = 2
        let pool = MariaDBPool(server, pool: limits, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await pool.run() }
            defer { tasks.cancelAll() }
            do {
                return try await body(pool)
            } catch let error as MariaDBError where error.isWrongProduct {
                throw StoreError(
                    .failed, "\(shard) cannot be migrated, and nothing was changed: \(error.message)", underlying: error
                )
            } catch let error as MariaDBError {
                throw StoreError(
                    .failed, "cannot migrate shard \(number) (\(shard)): \(error)\(MigrationSession.advice(error))",
                    underlying: error)
            }
        }
    }

    /// Looks for what the tables cannot be made with, before anything is changed.
    private func check(_ shard: MariaDBConfiguration, on connection: isolated MariaDBConnection) throws {
        let product = try connection.product()
        if let reason = product.refusal {
            throw StoreError(.failed, "\(shard) cannot be migrated, and nothing was changed: \(reason)")
        }
        if let caution = product.caution { logger.warning("\(shard): \(caution)") }
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

    /// A lost connection or a lost lock is a new beginning: what was done is found done.
    private func apply(to database: String, through pool: MariaDBPool) async throws -> [String] {
        let lock = MigrationLock(times: times)
        var applied: [String] = []
        var failures = 0
        while true {
            do {
                try await acquire(lock, of: database, through: pool)
                applied += try await keeping(lock, of: database, through: pool) {
                    try await pool.withConnection { try migrate(database, under: lock, on: $0) }
                }
                return applied
            } catch let error as MariaDBError
                where error.isConnectionLost && error.threadID != nil && !error.isRefused && failures < 3
            {
                failures += 1
                logger.warning("\(database): the connection was lost (\(error.message)); it is looked at again")
            } catch let error as MigrationLock.Lost where failures < 3 {
                failures += 1
                logger.warning("\(database) is migrated by \(error.owner) now, for the lock was not renewed in time")
            } catch let error as MigrationLock.Lost {
                throw StoreError(
                    .unavailable, "\(database) is being migrated by \(error.owner); run kiteq migrate again afterwards")
            }
        }
    }

    // MARK: The lock

    /// Waits until nobody migrates the database, and says so.
    private func acquire(
        _ lock: MigrationLock, of database: String, through pool: MariaDBPool
    ) async throws {
        try await pool.withConnection { try prepare(database, on: $0) }
        let begun = ContinuousClock.now
        var watch = MigrationWatch(times)
        var owner: String?
        while true {
            let look = try await pool.withConnection { connection in
                if let found = try MigrationLock.look(database, on: connection) { return found }
                throw StoreError(.unavailable, "\(database): the row of kite_migration_lock was deleted meanwhile")
            }
            if look.row.owner == lock.owner
                || watch.isFree(look.row, server: look.now, now: StoreClock.monotonic())
            {
                do {
                    if try await pool.withConnection({ try lock.take(look.row, database, on: $0) }) { return }
                } catch let error as MariaDBError where error.mayPassAgain {
                    // Another node was quicker, or the reply was lost: the next look tells.
                    logger.debug("\(database): \(error)")
                }
            } else if look.row.owner != owner {
                owner = look.row.owner
                logger.warning("\(database) is being migrated by \(look.row.owner): waiting for the end of that")
            }
            guard .now - begun < times.patience else {
                throw StoreError(
                    .unavailable, "\(look.row.owner) has been migrating \(database) for longer than \(times.patience)")
            }
            try await Task.sleep(for: times.look * Double.random(in: 0.5...1))
        }
    }

    /// Renews the lock while `body` runs, and lets go of it then.
    private func keeping<Result: Sendable>(
        _ lock: MigrationLock, of database: String, through pool: MariaDBPool,
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let outcome: Swift.Result<Result, any Error> = await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await keep(lock, of: database, through: pool) }
            defer { tasks.cancelAll() }
            do { return .success(try await body()) } catch { return .failure(error) }
        }
        do {
            try await pool.withConnection { connection in
                try connection.repeating { try lock.release(database, on: connection) }
            }
        } catch {
            // What was done counts; others wait until the lease is over.
            logger.debug("\(database): the lock was not released: \(error)")
        }
        return try outcome.get()
    }

    private func keep(_ lock: MigrationLock, of database: String, through pool: MariaDBPool) async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: times.renewal)
                try await pool.withConnection { try lock.renew(database, on: $0) }
            } catch is CancellationError {
                return
            } catch {
                // Tried again at the next turn. Whoever works asks before each step whether the lock is still its own.
                logger.debug("\(database): the lock was not renewed: \(error)")
            }
        }
    }

    /// The database and the lock's table, which several may make at once.
    private func prepare(_ database: String, on connection: isolated MariaDBConnection) throws {
        try connection.repeating {
            let exists = try !connection.query(
                "SELECT schema_name FROM information_schema.schemata WHERE schema_name = ?", [.text(database)]
            ).isEmpty
            if !exists { try connection.simple(Self.createDatabase(database)) }
            try connection.simple("USE `\(database)`")
            try connection.simple(MigrationLock.table)
            if try MigrationLock.look(database, on: connection) == nil { try connection.simple(MigrationLock.row) }
        }
    }

    // MARK: The work

    private func migrate(
        _ database: String, under lock: MigrationLock, on connection: isolated MariaDBConnection
    ) throws -> [String] {
        try connection.simple("USE `\(database)`")
        let name = try keepOutOlderVersions(of: database, on: connection)
        defer {
            // The server lets go of it with the connection in any case.
            do { _ = try connection.query("SELECT RELEASE_LOCK(?)", [name]) } catch { logger.debug("\(error)") }
        }
        try connection.repeating { try connection.simple(Self.trackingTable) }
        let known = try appliedVersions(on: connection)
        if let newer = known.keys.filter({ version in !migrations.contains { $0.version == version } }).max() {
            throw StoreError(
                .failed,
                "\(database) has migration \(newer), which this version of kiteq does not know: use a newer one")
        }
        var applied: [String] = []
        for migration in migrations {
            if let checksum = known[migration.version] {
                guard checksum == migration.checksum else {
                    throw StoreError(
                        .failed,
                        "\(migration.name) was changed after it was applied to \(database): migrations are never edited, add one"
                    )
                }
                continue
            }
            // As a whole: what one statement prepares the next ones run.
            try connection.repeating {
                for statement in migration.rounds {
                    repeat {
                        try lock.confirm(database, on: connection)
                    } while try connection.execute(statement).affectedRows > 0
                }
                for statement in migration.statements {
                    try lock.confirm(database, on: connection)
                    try connection.simple(statement)
                }
                try connection.execute(
                    "INSERT IGNORE INTO kite_migration (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)",
                    [.int(migration.version), .text(migration.name), .int(migration.checksum), .int(StoreClock.wall())])
            }
            applied.append(migration.name)
        }
        try lock.confirm(database, on: connection)
        try writeSlots(database, on: connection)
        return applied
    }

    /// Earlier versions knew no lock in a table. On a server that has no such function, or none that may be used, the table must do.
    /// - Returns: the lock's name.
    private func keepOutOlderVersions(
        of database: String, on connection: isolated MariaDBConnection
    ) throws -> MariaDBValue {
        // MySQL takes 64 characters: the end of a long name tells the shards apart.
        let name = MariaDBValue.text(String("kiteq migrate \(database)".suffix(64)))
        do {
            guard try connection.query("SELECT GET_LOCK(?, 60)", [name]).first?.int(0) == 1 else {
                throw StoreError(
                    .unavailable, "another version of kiteq has been migrating \(database) for a minute: try again")
            }
        } catch let error as MariaDBError where !error.isConnectionLost {
            logger.debug("\(database): no GET_LOCK: \(error)")
        }
        return name
    }

    private func appliedVersions(on connection: isolated MariaDBConnection) throws -> [Int: Int64] {
        var known: [Int: Int64] = [:]
        for row in try connection.query("SELECT version, checksum FROM kite_migration") {
            known[Int(try row.int(0))] = try row.int(1)
        }
        return known
    }

    /// Writes those that are not there: a migration that died has left some.
    private func writeSlots(_ database: String, on connection: isolated MariaDBConnection) throws {
        let map = ShardMap(shards: configuration.shards.count)
        var stored: [Int: Int64] = [:]
        for row in try connection.query(SQL.slots) { stored[Int(try row.int(0))] = try row.int(1) }
        guard stored.allSatisfy({ map.slots.indices.contains($0.key) && Int64(map.slots[$0.key]) == $0.value }) else {
            throw StoreError(
                .failed,
                "\(database) was set up for \(Set(stored.values).count) shards, the configuration has \(map.shardCount): messages would be looked for in the wrong place"
            )
        }
        let missing = map.slots.enumerated().filter { stored[$0.offset] == nil }
            .map { (slot: $0.offset, shard: $0.element) }
        for start in stride(from: 0, to: missing.count, by: Self.rowsAtOnce) {
            try insert(missing[start..<min(start + Self.rowsAtOnce, missing.count)], on: connection)
        }
    }

    /// Halved where the server does not take so many.
    private func insert(
        _ slots: ArraySlice<(slot: Int, shard: UInt8)>, on connection: isolated MariaDBConnection
    ) throws {
        do {
            try connection.repeating { try connection.simple(Self.insertSlots(slots)) }
        } catch let error as MariaDBError where error.mayPassInParts && slots.count > 1 {
            let middle = slots.startIndex + slots.count / 2
            try insert(slots[..<middle], on: connection)
            try insert(slots[middle...], on: connection)
        }
    }
}

extension MariaDBConnection {
    private static let attempts = 8

    /// Runs `body`, which may be run as often as one likes, again where that may help: two that met should not meet again.
    fileprivate func repeating(_ body: () throws -> Void) throws {
        var failures = 0
        while true {
            do {
                return try body()
            } catch let error as MariaDBError
                where error.mayPassAgain && !error.isConnectionLost && failures < Self.attempts
            {
                failures += 1
                // Nothing is open of what the server rolled back; what it did not is not to be kept.
                try simple("ROLLBACK")
                try simple("DO SLEEP(\(Double.random(in: 0.005...0.02) * Double(1 << failures)))")
            }
        }
    }
}

extension MariaDBError {
    /// What may be run as often as one likes may pass the next time: it met another one, or a cluster did not say why it stopped it
    /// (1180, 3100), or a reply was lost.
    var mayPassAgain: Bool {
        isRetriable || isCommitOutcomeUnknown || [1180, 3100].contains(code) && !isTooLarge
    }
}
