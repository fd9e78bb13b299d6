/// The bounds of a pool. Durations are measured by the monotonic clock.
public struct MariaDBPoolConfiguration: Sendable {
    public var maxConnections = 8
    /// Connections kept although nobody needs them.
    public var minConnections = 1
    /// How long a caller waits for a connection.
    public var waitTimeout: Duration = .seconds(5)
    /// Callers that may wait; one more is refused at once.
    public var maxWaiters = 10_000
    /// A connection idle for longer is asked whether it is alive before it is given out.
    public var idleCheck: Duration = .seconds(30)
    /// An idle connection is closed after this; those of `minConnections` are made anew. It must be shorter than the server's
    /// own patience, `wait_timeout`.
    public var idleTimeout: Duration = .seconds(45)
    /// A connection is closed after this, when it is next idle.
    public var maxLifetime: Duration = .seconds(3_600)
    /// The wait after a failed attempt to connect, and between attempts to find a server that takes writes; it doubles up to
    /// `maxBackoff`.
    public var minBackoff: Duration = .milliseconds(50)
    public var maxBackoff: Duration = .seconds(2)
    /// The longest wait after a refusal, which lasts until somebody does something: a wrong password, say.
    public var maxRefusedBackoff: Duration = .seconds(30)
    /// What is under way at a server when another one is chosen has so long to end; then its connection is cut.
    public var patience: Duration = .milliseconds(500)
    /// What is under way for so long makes all servers be looked at, if there are several: another one may have taken over.
    public var suspicion: Duration = .seconds(1)

    public init() {}
}

extension PoolStateMachine.Limits {
    init(_ pool: MariaDBPoolConfiguration) {
        self.init(
            maxConnections: max(1, pool.maxConnections),
            minConnections: max(0, min(pool.minConnections, pool.maxConnections)),
            maxWaiters: pool.maxWaiters, waitTimeout: pool.waitTimeout.nanoseconds,
            idleCheck: pool.idleCheck.nanoseconds,
            idleTimeout: pool.idleTimeout.nanoseconds, maxLifetime: pool.maxLifetime.nanoseconds,
            minBackoff: pool.minBackoff.nanoseconds, maxBackoff: pool.maxBackoff.nanoseconds,
            maxRefusedBackoff: pool.maxRefusedBackoff.nanoseconds,
            patience: pool.patience.nanoseconds, suspicion: pool.suspicion.nanoseconds)
    }
}
