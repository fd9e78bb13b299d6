import KiteQCore
import MariaDB

extension MariaDBConnection {
    /// Ends other connections of the same user, and waits until their transactions are over: only then does what can be read
    /// say what became of them, and are their row locks free.
    ///
    /// - Parameter limit: to wait for all of them. A large transaction takes its time to be rolled back.
    /// - Returns: those that are there still, in the order of `threads`; none is the good answer.
    /// - Throws: `MariaDBError`, such as 1095 where a connection is another user's.
    func kill(_ threads: [UInt64], within limit: Duration = .seconds(2)) throws -> [UInt64] {
        let deadline = ContinuousClock.now + limit
        // Where this connection has such a number, the server was started anew, and the one that had it before is gone.
        var left = threads.filter { $0 != threadID }
        while true {
            left = try left.filter { try !isGone(afterKilling: $0) }
            if left.isEmpty || ContinuousClock.now >= deadline { return left }
            try simple("DO SLEEP(0.005)")
        }
    }

    /// Ends the connection whose reply was lost.
    ///
    /// There is nothing to end where this is another server, which has taken over, or where the server was started anew: then
    /// somebody else has the number. Nor is it tried where the number is a proxy's: what the lost transaction has locked is waited for
    /// then.
    /// - Throws: `StoreError` where it is there still after the limit.
    func kill(_ lost: MariaDBThread, within limit: Duration = .seconds(2)) throws {
        guard lost.isProven, lost.serverIdentity == serverIdentity, try uptime() >= ContinuousClock.now - lost.since
        else { return }
        guard try kill([lost.id], within: limit).isEmpty else {
            throw StoreError(
                .unavailable, "connection \(lost.id) does not end, so what became of its transaction is not known")
        }
    }

    /// Whether somebody may be connected under a number: false where that is certain.
    ///
    /// A user without the privilege PROCESS sees the connections of its own name alone. What it does not see it tries to end: the
    /// server says whether there is no such connection (1094), or one of somebody else (1095).
    func mayBeOpen(_ thread: UInt64) throws -> Bool {
        guard try isListed(thread) == false else { return true }
        do {
            try simple("KILL CONNECTION \(thread)")
            return true
        } catch let error as MariaDBError where error.code == 1094 {
            return false
        } catch let error as MariaDBError where error.code == 1095 {
            return true
        }
    }

    /// How long the server has run, at most; it counts whole seconds.
    func uptime() throws -> Duration {
        .seconds(try simpleRows("SHOW GLOBAL STATUS LIKE 'Uptime'").first?.int(1) ?? 0) + .seconds(1)
    }

    /// MariaDB forgets a connection, so that KILL does not find it (1094), when it has rolled back what was open. MySQL hides
    /// it from KILL and from information_schema before that; performance_schema tells the end. Where there is none, that the outcome is certain must
    /// do: the locks are free a moment later.
    private func isGone(afterKilling thread: UInt64) throws -> Bool {
        do {
            try simple("KILL CONNECTION \(thread)")
            return false
        } catch let error as MariaDBError where error.code == 1094 {
            guard server.kind == .mySQL else { return true }
        }
        return try isListed(thread) != true
    }

    /// Whether the server's list of connections has a number; it shows those of one's own user at least. Nil where nobody can tell.
    ///
    /// Of MySQL's lists performance_schema's alone is asked, and for the number alone: what others run may be binary, and where it is
    /// converted to text that fails (1300, 3854).
    private func isListed(_ thread: UInt64) throws -> Bool? {
        guard server.kind == .mySQL else { return try !query(SQL.connection, [.uint(thread)]).isEmpty }
        do {
            let listed = try query(SQL.connections, [.uint(thread), .uint(threadID)]).map { try $0.int(0) }
            // One that lists not even this connection is switched off.
            guard listed.contains(Int64(threadID)) else { return nil }
            return listed.contains(Int64(thread))
        } catch let error as MariaDBError where error.code == 1146 {
            // Before 8.0.22.
            return nil
        }
    }
}
