import KiteQCore
import Logging
import MariaDB
import Synchronization

/// Sessions whose connection was lost here. The server may not have noticed: it goes on with the last statement, or waits for
/// the next one, and holds the locks of a transaction that nobody will end until its own patience is over.
extension Shard {
    func noteLost(_ error: any Error) {
        guard let error = error as? MariaDBError, error.isConnectionLost, let thread = error.thread, thread.isProven
        else {
            return
        }
        lostSessions.withLock { _ = $0.insert(thread) }
    }

    /// Ends those of this server, so that what they have locked is free a moment later. Who must know what became of their
    /// transactions waits for their end (`MariaDBConnection.kill`).
    func endLostSessions(on connection: isolated MariaDBConnection) throws {
        let lost = lostSessions.withLock { lost in
            defer { if !lost.isEmpty { lost = [] } }
            return lost
        }
        guard !lost.isEmpty else { return }
        do {
            // A server that was started anew has given their numbers to others.
            let uptime = try connection.uptime()
            for thread in lost
            where thread.serverIdentity == connection.serverIdentity && uptime >= ContinuousClock.now - thread.since {
                do {
                    try connection.simple("KILL CONNECTION \(thread.id)")
                } catch let error as MariaDBError where !error.isConnectionLost {
                    // 1094: it is gone, as it should be.
                    if error.code != 1094 { logger.warning("cannot end lost connection \(thread.id): \(error)") }
                }
            }
        } catch {
            lostSessions.withLock { $0.formUnion(lost) }
            throw error
        }
    }
}
