/// Who a client is, and how it finds brokers.
public struct KiteQConfiguration: Sendable {
    /// Where brokers are found.
    public enum Discovery: Sendable, Hashable {
        /// These, as `host:port`.
        case brokers([String])
        /// ZooKeeper, as `host:port,host:port`, with a path behind the last where the brokers' nodes are under one
        /// (`zk1:2181,zk2:2181/env1`); consumers publish their subscriptions there.
        case zooKeeper(String)
        /// A file registry, for one machine.
        case file(String)
    }

    /// The group: one copy of a message goes to one client of each group that subscribes.
    public var group: String
    public var secret: String
    public var discovery: Discovery
    /// What ZooKeeper is shown; nil: nothing. For nothing else.
    public var zooKeeperCredentials: ZooKeeperCredentials?
    /// Nil: plain text. There is no falling back: with it, a broker that does not speak TLS is not spoken to.
    public var tls: KiteQTLS?
    /// Seconds over which a consumer's share of its group's messages rises to full; 0: at once.
    public var warmUpSeconds = 0
    /// How long a publish waits for a connection and its store ack.
    public var publishTimeout: Duration = .seconds(3)
    public var connectTimeout: Duration = .seconds(3)
    /// Silence of either side after which a heartbeat is sent; where the broker is silent for more than three times as long,
    /// the connection is given up.
    public var heartbeatInterval: Duration = .seconds(10)
    /// The wait after a failed attempt to connect; it doubles up to `maxBackoff`, with some chance in it.
    public var minBackoff: Duration = .milliseconds(100)
    public var maxBackoff: Duration = .seconds(5)
    /// How long a stop waits for handlers that run and publishes that are not acknowledged.
    public var shutdownTimeout: Duration = .seconds(10)

    public init(group: String, secret: String = "", discovery: Discovery) {
        self.group = group
        self.secret = secret
        self.discovery = discovery
    }
}
