import KiteQCore
import MariaDB
import Synchronization

/// The time of the shard's server: what this broker compares rows with, and writes into them.
extension Shard {
    static func readClock(on connection: isolated MariaDBConnection) throws -> ServerClock.Reading {
        let sentAt = StoreClock.monotonic()
        let server = try connection.query(SQL.now).first?.int(0) ?? 0
        return ServerClock.Reading(
            server: server, sentAt: sentAt, receivedAt: StoreClock.monotonic(), wall: StoreClock.wall())
    }

    @discardableResult
    func measure(_ reading: ServerClock.Reading) -> ServerClock {
        clock.withLock { clock in
            var measured = clock ?? ServerClock(reading)
            if clock != nil { measured.measure(reading) }
            clock = measured
            return measured
        }
    }

    /// Unix milliseconds. Known from when the broker joins on.
    var now: Timestamp {
        clock.withLock { $0 }?.now(at: StoreClock.monotonic()) ?? StoreClock.wall()
    }
}
