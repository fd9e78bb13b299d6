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
    /// An idle connection above `minConnections` is closed after this.
    public var idleTimeout: Duration = .seconds(300)
    /// A connection is closed after this, when it is next idle.
    public var maxLifetime: Duration = .seconds(3_600)
    /// The wait after a failed attempt to connect; it doubles up to `maxBackoff`.
    public var minBackoff: Duration = .milliseconds(50)
    public var maxBackoff: Duration = .seconds(2)

    public init() {}
}
