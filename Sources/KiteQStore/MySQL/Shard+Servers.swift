import KiteQCore
import MariaDB

/// Which server the brokers agree on, as the shard's own rows say it: each of them writes with its lease where it works.
extension Shard {
    /// Those whose leases hold, by this server's rows and by its clock.
    static let witnesses: MariaDBServers.Witnesses = { connection in
        do {
            return try connection.query(SQL.livingNow).compactMap { row in
                let ids = try row.optionalBytes(1).flatMap { ConnectionIDs(text: String(decoding: $0, as: UTF8.self)) }
                guard let mark = ids?.server else { return nil }
                return ServerWitness(rank: try row.int(0), mark: mark)
            }
        } catch let error as MariaDBError where error.code == 1146 {
            // Not migrated yet.
            return []
        }
    }
}

extension MariaDBConnection {
    /// Runs what reads, and sees all that was committed anywhere in the server's cluster before it began, also what this server has
    /// still to apply. What it throws leaves the session as it is: its reads take longer then, and are no less right.
    func seeingAllCommits<Result>(_ body: () throws -> Result) throws -> Result {
        guard let cluster else { return try body() }
        try simple(cluster.syncReads)
        let result = try body()
        try simple(cluster.resetReads)
        return result
    }
}
