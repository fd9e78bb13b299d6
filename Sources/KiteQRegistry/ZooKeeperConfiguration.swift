/// How to reach ZooKeeper and what to be there.
package struct ZooKeeperConfiguration: Sendable, Hashable {
    /// `host:port`, one or more.
    package var servers: [String]
    /// How long the servers wait for a silent broker before they drop its announcement. They may narrow it to their own
    /// limits.
    package var sessionTimeout: Duration
    /// `user:password` of ZooKeeper's digest scheme. With it, nodes created here belong to this user alone, so brokers
    /// and clients must all have it; without it they are open to the world, as KiteQ's clients expect.
    package var digest: String?
    /// Stands for this machine in the list of producers.
    package var hostname: String
    /// How long to gather further changes once the first is seen, so that changes made together make one snapshot.
    package var settleTime: Duration = .milliseconds(50)
    /// The pause before another attempt after a failed one; doubles up to ``maximumBackoff``.
    package var initialBackoff: Duration = .milliseconds(250)
    package var maximumBackoff: Duration = .seconds(5)

    package init(
        servers: [String], sessionTimeout: Duration = .seconds(10), digest: String? = nil, hostname: String? = nil
    ) {
        self.servers = servers
        self.sessionTimeout = sessionTimeout
        self.digest = digest
        self.hostname = hostname ?? LocalHost.name
    }
}
