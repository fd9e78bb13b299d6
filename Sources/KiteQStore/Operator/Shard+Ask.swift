import KiteQCore
import Logging
import MariaDB

/// How operators' statements run: apart from the traffic, and never for long.
extension Shard {
    /// Statements of operators that run at the same time in one shard.
    static let operatorConnections = 2

    /// Connections are made when they are needed. A silent server is given up after a few seconds.
    static func operatorPool(
        to database: MariaDBConfiguration, at servers: MariaDBServers, within limit: Duration, logger: Logger
    ) -> MariaDBPool {
        var database = database
        let patience = Duration.seconds(MySQLStoreConfiguration.leastReadTimeout)
        database.connectTimeout = min(database.connectTimeout, patience)
        database.readTimeout = min(database.readTimeout, patience)
        database.writeTimeout = min(database.writeTimeout, patience)
        // MySQL's statistics of tables are a day old otherwise. MariaDB passes over a comment of that version.
        database.sessionStatements.append(
            "SET SESSION autocommit = 1 /*!80000 , SESSION information_schema_stats_expiry = 0 */")
        var limits = MariaDBPoolConfiguration()
        limits.maxConnections = operatorConnections
        limits.minConnections = 0
        limits.waitTimeout = min(limit, patience)
        limits.maxWaiters = 100
        return MariaDBPool(database, pool: limits, servers: servers, logger: logger)
    }

    /// Runs what only reads, on a connection for operators.
    ///
    /// A connection that turns out to be lost at once is replaced; one that is silent is not waited for twice.
    /// - Throws: `StoreError`, a sentence with the shard.
    func ask<Answer: Sendable>(
        _ body: @escaping @Sendable (isolated MariaDBConnection, OperatorDeadline) throws -> Answer
    ) async throws -> Answer {
        let deadline = OperatorDeadline(shard: number)
        while true {
            do {
                return try await times.measure(.operator) {
                    try await operatorPool.withConnection { try body($0, deadline) }
                }
            } catch let error as MariaDBError where error.isConnectionLost && error.threadID != nil && deadline.isFresh
            {
                continue
            } catch {
                throw storeError(error)
            }
        }
    }
}
