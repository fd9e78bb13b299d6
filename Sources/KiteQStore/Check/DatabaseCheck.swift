import KiteQCore
package import Logging
import MariaDB
import Synchronization

/// Looks at live databases as the broker's user, and changes nothing.
///
/// Each server of the configuration is looked at once, whichever shards it has; what takes a privilege that the user lacks says
/// which.
package struct DatabaseCheck: Sendable {
    /// Connections that are held at once to see whether they meet one server.
    private static let connections = 4

    private let configuration: MySQLStoreConfiguration
    private let logger: Logger

    package init(_ configuration: MySQLStoreConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// An address and who asks there.
    private struct Host: Hashable {
        var address: MariaDBConfiguration.Server
        var user: String
        var password: String
        var tls: MariaDBConfiguration.TLS
    }

    package func run() async -> [CheckLine] {
        var hosts: [Host] = []
        var shards: [Host: [MariaDBConfiguration]] = [:]
        for shard in configuration.shards {
            for host in Self.hosts(of: shard) {
                if shards[host] == nil { hosts.append(host) }
                shards[host, default: []].append(shard)
            }
        }
        var lines: [CheckLine] = []
        var facts: [Host: ServerFacts] = [:]
        var tables: [Host: [String: CheckRules.Tables]] = [:]
        for host in hosts {
            let databases = (shards[host] ?? []).compactMap(\.database)
            guard var shard = shards[host]?.first else { continue }
            shard.servers = [host.address]
            do {
                let (found, content) = try await look(at: shard, databases)
                (facts[host], tables[host]) = (found, content)
                lines += CheckRules.lines(found, databases: databases)
            } catch {
                let failure = error as? MariaDBError
                lines.append(
                    CheckLine(
                        level: .bad, place: "\(host.address)",
                        subject: failure?.isWrongProduct == true ? "product" : "connection",
                        text: failure?.message ?? "\(error)"))
            }
        }
        let map = ShardMap(shards: configuration.shards.count)
        // Shards of the same hosts have the same writers.
        var judged: Set<[Host]> = []
        for shard in configuration.shards {
            let all = Self.hosts(of: shard)
            let reached = all.compactMap { facts[$0] }
            if reached.isEmpty { continue }
            if judged.insert(all).inserted {
                lines += CheckRules.together(reached, place: shard.servers.map(\.description).joined(separator: ","))
            }
            let place = shard.database ?? ""
            guard
                let writer = all.first(where: { facts[$0]?.takesWrites == true })
                    ?? all.first(where: { facts[$0] != nil }),
                let content = tables[writer]?[place]
            else { continue }
            lines += CheckRules.tables(content, place: place, map: map)
        }
        return lines
    }

    private static func hosts(of shard: MariaDBConfiguration) -> [Host] {
        shard.servers.map { Host(address: $0, user: shard.user, password: shard.password, tls: shard.tls) }
    }

    // MARK: One server

    private func look(
        at shard: MariaDBConfiguration, _ databases: [String]
    ) async throws -> (ServerFacts, [String: CheckRules.Tables]) {
        var shard = shard
        shard.database = nil
        shard.requiresWrites = false
        shard.sessionStatements += [
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "SET SESSION innodb_lock_wait_timeout = 2",
            "SET SESSION time_zone = '+00:00'", "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
        ]
        var limits = MariaDBPoolConfiguration()
        limits.maxConnections = 1
        // Each keeps its one connection, so that all are open at the same time.
        let pools = (0..<Self.connections).map { _ in MariaDBPool(shard, pool: limits, logger: logger) }
        let address = shard.servers[0].description
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            for pool in pools { tasks.addTask { await pool.run() } }
            defer { tasks.cancelAll() }
            var facts = try await pools[0].withConnection { try ServerFacts(of: address, on: $0) }
            guard facts.product.refusal == nil else { return (facts, [:]) }
            for pool in pools { facts.identities.append(try await pool.withConnection { $0.serverIdentity }) }
            var tables: [String: CheckRules.Tables] = [:]
            for database in databases {
                var found = try await pools[0].withConnection { try Self.tables(of: database, on: $0) }
                if facts.takesWrites, found.applied != nil, Set(facts.identities).count == 1 {
                    found.skipsLocked = try await skipsLocked(in: database, pools[0], pools[1])
                }
                tables[database] = found
            }
            return (facts, tables)
        }
    }

    private static func tables(
        of database: String, on connection: isolated MariaDBConnection
    ) throws -> CheckRules.Tables {
        var tables = CheckRules.Tables()
        do {
            var applied: [Int: Int64] = [:]
            for row in try connection.simpleRows("SELECT version, checksum FROM `\(database)`.kite_migration") {
                applied[Int(try row.int(0))] = try row.int(1)
            }
            tables.slots = try connection.simpleRows("SELECT shard FROM `\(database)`.kite_slot ORDER BY slot")
                .map { try $0.int(0) }
            tables.applied = applied
        } catch let error as MariaDBError where [1044, 1049, 1142, 1146].contains(error.code) {
            // No database, no tables, or none that this user may see: the grants' own line tells these apart.
            return CheckRules.Tables()
        }
        return tables
    }

    // MARK: SKIP LOCKED

    /// What the two connections tell one another.
    private final class Meeting: Sendable {
        let isLocked = Mutex(false)
        let isOver = Mutex(false)
    }

    /// One connection locks a row that nobody writes, and another one asks for it.
    private func skipsLocked(in database: String, _ one: MariaDBPool, _ other: MariaDBPool) async throws -> Bool? {
        let row = "SELECT slot FROM `\(database)`.kite_slot WHERE slot = 0 FOR UPDATE"
        let meeting = Meeting()
        async let holding: Void = one.withConnection { connection in
            try connection.transaction {
                let rows = try connection.simpleRows(row)
                meeting.isLocked.withLock { $0 = !rows.isEmpty }
                // Bounded, whatever becomes of the other one.
                for _ in 0..<200 where !meeting.isOver.withLock({ $0 }) { try connection.simple("DO SLEEP(0.01)") }
            }
        }
        var answer: Bool?
        for _ in 0..<200 where answer == nil {
            if meeting.isLocked.withLock({ $0 }) {
                do {
                    answer = try await other.withConnection { try $0.simpleRows(row + " SKIP LOCKED").isEmpty }
                } catch let error as MariaDBError where error.isLockWaitTimeout {
                    answer = false
                }
            } else {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        meeting.isOver.withLock { $0 = true }
        try await holding
        return answer
    }
}
