import KiteQCore
import Logging
import MariaDB
import Synchronization

/// Leases, and what becomes of brokers that let theirs run out.
extension Shard {
    /// - Throws: `StoreError` with `fenced` where somebody declared this incarnation dead.
    func renew(lease: Duration) async throws -> ServerClock {
        let number = incarnation
        let threads = pool.threads + operatorPool.threads
        let (isAlive, reading) = try await run(on: leasePool) { connection in
            try self.requireWrites(on: connection)
            let found = try self.checkLease(of: number, on: connection)
            let ids = ConnectionIDs(
                threads + [connection.thread], on: connection.serverIdentity,
                startedAt: try Self.startTime(on: connection))
            let values: [MariaDBValue] = [
                .int(Int64(lease / .milliseconds(1))), .text(ids.text), .int(number), .int(found),
            ]
            if try connection.execute(SQL.renew, values).affectedRows == 1 {
                try self.rememberLease(of: number, on: connection)
                return (true, try Self.readClock(on: connection))
            }
            // A row that is as it was is not counted as changed. One that was put back since it was looked at is older, and is
            // found to be at the next look: it is not renewed.
            _ = try self.checkLease(of: number, on: connection)
            let isAlive = try !connection.query(SQL.isLiving, [.int(number)]).isEmpty
            return (isAlive, try Self.readClock(on: connection))
        }
        guard isAlive else { throw isDead }
        return measure(reading)
    }

    var isDead: StoreError {
        StoreError(.fenced, "incarnation \(incarnation) was declared dead in shard \(number), or its row is gone")
    }

    /// A life that nobody has declared dead, as its row has it.
    struct Life: Sendable {
        var number: Int64
        var leaseUntil: Timestamp
        var name: String
        var connections: ConnectionIDs?

        init(_ row: MariaDBRow) throws {
            number = try row.int(0)
            leaseUntil = try row.int(1)
            name = try row.text(2)
            connections = try row.optionalBytes(3).flatMap {
                ConnectionIDs(text: String(decoding: $0, as: UTF8.self))
            }
        }
    }

    /// A server that was demoted is left, whatever this user may do there: what it stored would be gone when the new primary's
    /// changes come.
    func requireWrites(on connection: isolated MariaDBConnection) throws {
        guard try connection.isServerReadOnly() else { return }
        for pool in [pool, leasePool, operatorPool] { pool.leaveServer() }
        throw StoreError(.refusesWrites, "shard \(number): the server takes no writes, it is read-only")
    }

    func watchLeases() async throws -> [String] {
        let number = incarnation
        let (lives, server) = try await run { connection in
            try self.requireWrites(on: connection)
            let read: @Sendable (isolated MariaDBConnection) throws -> [Life] = { connection in
                try connection.query(SQL.living).map { try Life($0) }
            }
            var lives = try read(connection)
            // A server that took over may not have applied yet that this broker joined.
            if !lives.contains(where: { $0.number == number }) {
                lives = try connection.seeingAllCommits { try read(connection) }
            }
            return (lives, connection.serverIdentity)
        }
        _ = try await writeMissing(meet(server: server))
        guard lives.contains(where: { $0.number == number }) else { throw isDead }
        let leases = Dictionary(uniqueKeysWithValues: lives.map { ($0.number, $0.leaseUntil) })
        let over = leaseWatch.withLock {
            $0.look(at: leases, own: number, server: server, now: StoreClock.monotonic())
        }
        var dead: [String] = []
        for life in lives where over.contains(life.number) {
            if try await end(life, at: server) { dead.append("\(life.name) (incarnation \(life.number))") }
        }
        return dead
    }

    /// Ends the connections of a broker whose lease has run out, then declares it dead, in a statement that holds only if it has
    /// not renewed meanwhile. What a paused one had open is rolled back by then, and its locks are free.
    func end(_ life: Life, at server: String) async throws -> Bool {
        try await run { [logger] connection in
            guard connection.serverIdentity == server else { return false }
            if let ids = life.connections,
                ids.areOf(connection.serverIdentity, startedAt: try Self.startTime(on: connection))
            {
                do {
                    let left = try connection.kill(ids.numbers)
                    if !left.isEmpty { logger.warning("connections \(left) of broker \(life.name) do not end yet") }
                } catch let error as MariaDBError where !error.isConnectionLost {
                    logger.warning(
                        "may not end the connections of broker \(life.name), their locks stay until they time out: \(error)"
                    )
                }
            }
            let values: [MariaDBValue] = [.int(life.number), .int(life.leaseUntil)]
            guard try connection.execute(SQL.declareDead, values).affectedRows == 1 else { return false }
            // Not in one transaction: of many groups a cluster may not take it, and the dead one would never be declared so.
            try Self.removePresence(of: life.number, on: connection)
            return true
        }
    }

    // MARK: Who is dead

    /// To be asked after the owners were read: a broker joins before it owns anything.
    static func dead(_ owners: [Int64], on connection: isolated MariaDBConnection) throws -> [Int64] {
        var living: Set<Int64> = []
        try connection.query(SQL.livingAmong, list: owners.map { .int($0) }) { living.insert(try $0.int(0)) }
        return owners.filter { !living.contains($0) }
    }

    /// When the server was started, Unix seconds, give or take one: connection numbers begin anew with it.
    static func startTime(on connection: isolated MariaDBConnection) throws -> Int64 {
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
                } catch let error as MariaDBError where error.code == 1095 {
                    // Somebody else's, so the number was given anew: the one that had it is gone.
                    return true
                }
            }
        }
        let resolved = open.filter { ended.contains($0.key) }
        let isClear = suspects.withLock { suspects in
            for thread in resolved.keys { suspects[thread] = nil }
            return suspects.isEmpty
        }
        if isClear { marks.withLock { $0.fresh.endDoubts() } }
        return resolved.values.min()
    }
}
