import KiteQCore
import Logging
import MariaDB
import Synchronization

/// Leases by this server's clock, and what becomes of brokers that let theirs run out.
extension Shard {
    /// - Throws: `StoreError` with `fenced` where somebody declared this incarnation dead.
    func renew(lease: Duration) async throws -> String {
        let number = incarnation
        let threads = pool.threadIDs
        let (renewed, server) = try await run(on: leasePool) { connection in
            let ids = try ConnectionIDs(threads, startedAt: Self.startTime(on: connection))
            let values: [MariaDBValue] = [.int(Int64(lease / .milliseconds(1))), .text(ids.text), .int(number)]
            return (try connection.execute(SQL.renew, values).affectedRows, connection.serverIdentity)
        }
        guard renewed == 1 else {
            throw StoreError(.fenced, "incarnation \(number) was declared dead in shard \(self.number)")
        }
        return server
    }

    /// Ends the connections of brokers whose lease has run out, then declares them dead, each in one statement that holds only
    /// if it did not come back meanwhile. What a paused one had open is rolled back by then, and its locks are free.
    func declareDead() async throws -> [String] {
        let lapsed = try await run { connection in
            try connection.query(SQL.lapsed).map {
                (
                    number: try $0.int(0), name: try $0.text(1),
                    ids: ConnectionIDs(text: try $0.optionalBytes(2).map { String(decoding: $0, as: UTF8.self) } ?? "")
                )
            }
        }
        var dead: [String] = []
        for broker in lapsed where broker.number != incarnation {
            let isDead = try await run { [logger] connection in
                if let ids = broker.ids, ids.isOf(serverStartedAt: try Self.startTime(on: connection)) {
                    do {
                        let left = try connection.kill(ids.numbers)
                        if !left.isEmpty {
                            logger.warning("connections \(left) of broker \(broker.name) do not end yet")
                        }
                    } catch let error as MariaDBError where !error.isConnectionLost {
                        logger.warning(
                            "may not end the connections of broker \(broker.name), their locks stay until they time out: \(error)"
                        )
                    }
                }
                guard try connection.execute(SQL.declareDead, [.int(broker.number)]).affectedRows == 1 else {
                    return false
                }
                try connection.execute(SQL.deletePresenceOf, [.int(broker.number)])
                return true
            }
            if isDead { dead.append("\(broker.name) (incarnation \(broker.number))") }
        }
        return dead
    }

    /// When the server was started, Unix seconds, give or take one: connection numbers begin anew with it.
    private static func startTime(on connection: isolated MariaDBConnection) throws -> Int64 {
        let uptime = try connection.query(SQL.uptime).first.flatMap { Int64(try $0.text(1)) } ?? 0
        let now = try connection.query("SELECT UNIX_TIMESTAMP()").first?.int(0) ?? 0
        return now - uptime
    }

    // MARK: Lost replies

    /// A connection was lost with a commit under way that concerns rows from this seq on.
    func suspect(_ thread: MariaDBThread, from seq: Int64) {
        suspects.withLock { $0[thread] = min($0[thread] ?? .max, seq) }
    }

    func resolveUncertain() async throws -> Int64? {
        let open = suspects.withLock { $0 }
        guard !open.isEmpty else { return nil }
        let threads = Array(open.keys)
        let ended = try await run { connection in
            try threads.filter { thread in
                do {
                    try connection.kill(thread)
                    return true
                } catch let error as StoreError {
                    self.logger.warning("\(error)")
                    return false
                }
            }
        }
        let resolved = open.filter { ended.contains($0.key) }
        suspects.withLock { suspects in
            for thread in resolved.keys { suspects[thread] = nil }
        }
        return resolved.values.min()
    }
}

/// Connections of a broker to one server, as `kite_incarnation.connection_ids` has them: `start:id,id,…`.
struct ConnectionIDs: Sendable, Hashable {
    var startedAt: Int64
    var numbers: [UInt64]

    init(_ numbers: [UInt64], startedAt: Int64) {
        self.startedAt = startedAt
        // As many as the column has room for; a pool has a few.
        self.numbers = Array(numbers.prefix(200))
    }

    /// Nil where the text is none.
    init?(text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let start = Int64(parts[0]) else { return nil }
        startedAt = start
        numbers = parts[1].split(separator: ",").compactMap { UInt64($0) }
    }

    var text: String { "\(startedAt):" + numbers.map(String.init).joined(separator: ",") }

    /// Whether the server is still the one that gave out these numbers.
    func isOf(serverStartedAt start: Int64) -> Bool { abs(start - startedAt) <= 2 }
}
