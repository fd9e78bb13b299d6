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
    /// Whether the secret may be sent unencrypted to a broker that is not on this machine: everybody on the way could read it, and so could
    /// whoever writes a broker's name into the registry. Without it a client with a secret and no TLS speaks to loopback addresses
    /// only.
    public var sendsSecretInPlainText = false
    /// Nil: plain text. There is no falling back: with it, a broker that does not speak TLS is not spoken to.
    public var tls: KiteQTLS?
    /// Seconds over which a consumer's share of its group's messages rises to full; 0: at once.
    public var warmUpSeconds = 0
    /// The most deliveries that a consumer has in its hands from each broker; nil: four for each handler that may run at a time.
    /// More is faster where handlers are, fewer leaves more to the other consumers of the group. Brokers of other makes do not
    /// know of it, and send as many as they will.
    public var window: Int?
    /// How long a broker waits for the answer to a delivery, where it does not say so itself: brokers of other makes do not.
    /// What waited for a handler for longer is not begun: the broker has given it up, and sends it again.
    public var deliveryTimeout: Duration = .seconds(5)
    /// How long a handler may work on a message, or a message may wait for one, while the broker is kept from giving it to another
    /// consumer. A handler that runs for longer is not stopped; but the message comes again, as after an attempt that failed.
    public var handlerTimeout: Duration = .seconds(600)
    /// How long a publish waits for a connection and its store ack.
    public var publishTimeout: Duration = .seconds(3)
    /// A broker that owes an answer and has been silent for so long is passed over while there is another one, until it says
    /// something. It is asked to, by a heartbeat.
    public var suspectAfter: Duration = .seconds(1)
    public var connectTimeout: Duration = .seconds(3)
    /// Silence of either side after which a heartbeat is sent; where the broker is silent for more than three times as long,
    /// the connection is given up.
    public var heartbeatInterval: Duration = .seconds(10)
    /// The wait after a failed attempt to connect; it doubles up to `maxBackoff`, with some chance in it.
    public var minBackoff: Duration = .milliseconds(100)
    public var maxBackoff: Duration = .seconds(5)
    /// How long a graceful shutdown waits for handlers that run, and for publishes and transactions under way. Then handlers are
    /// cancelled, and publishes end with ``KiteQError/Code/outcomeUnknown``.
    public var shutdownTimeout: Duration = .seconds(10)

    public init(group: String, secret: String = "", discovery: Discovery) {
        self.group = group
        self.secret = secret
        self.discovery = discovery
    }
}
