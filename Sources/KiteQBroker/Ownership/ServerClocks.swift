import KiteQCore
import Logging
import Synchronization

/// The time of each shard's server, as everybody in the broker asks; by shard, for each may have a server of its own.
final class ServerClocks: Sendable {
    private struct State {
        var clocks: [ServerClock?]
        /// What the log has said of each: that the clocks are apart, that the server's has jumped.
        var told: [Told]
    }

    private struct Told: Equatable {
        var isApart = false
        var hasJumped = false
    }

    private let state: Mutex<State>
    private let clock: any ProcessClock
    private let logger: Logger

    init(shards: Int, clock: any ProcessClock, logger: Logger) {
        state = Mutex(
            State(clocks: Array(repeating: nil, count: shards), told: Array(repeating: Told(), count: shards)))
        self.clock = clock
        self.logger = logger
    }

    /// Nil before a shard's server was asked for the first time: then nothing is known to be due or over there.
    func now(_ shard: Int) -> Timestamp? {
        state.withLock { $0.clocks[shard] }?.now(at: clock.monotonic())
    }

    subscript(shard: Int) -> ServerClock? { state.withLock { $0.clocks[shard] } }

    /// For what is of no shard, such as ages that people see: the first server's time; before it is known, this machine's.
    var general: Timestamp { now(0) ?? clock.wall() }

    /// One look at all of them.
    func arrival() -> Arrival {
        Arrival(clocks: state.withLock { $0.clocks }, monotonic: clock.monotonic())
    }

    /// A shard's server was asked again. Says in the log where an incident begins or ends.
    func set(_ clock: ServerClock, shard: Int) {
        let now = Told(isApart: clock.isApart, hasJumped: clock.hasJumped)
        let before = state.withLock { state in
            state.clocks[shard] = clock
            defer { state.told[shard] = now }
            return state.told[shard]
        }
        guard now != before else { return }
        let metadata: Logger.Metadata = ["shard": "\(shard)"]
        for incident in clock.incidents(shard: shard) { logger.warning("\(incident)", metadata: metadata) }
        if before.isApart && !now.isApart {
            logger.notice("this machine's clock and that of the shard's server agree again", metadata: metadata)
        }
        if before.hasJumped && !now.hasJumped {
            logger.notice("the clock of the shard's server is followed again", metadata: metadata)
        }
    }
}

/// When something came, by every clock.
struct Arrival: Sendable {
    /// By shard; nil where the server was not asked yet.
    var clocks: [ServerClock?] = []
    var monotonic: MonotonicTime = 0

    /// By a shard's server; nil where it was not asked yet.
    func time(of shard: Int) -> Timestamp? { clocks[shard]?.now(at: monotonic) }
}
