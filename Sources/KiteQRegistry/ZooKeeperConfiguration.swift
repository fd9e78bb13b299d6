package import KiteQCore

/// How to reach ZooKeeper and what to be there.
package struct ZooKeeperConfiguration: Sendable, Hashable {
    /// `host:port`, one or more.
    package var servers: [String]
    /// Under which node all of KiteQ's are, as `/env1`; "" is ZooKeeper's own root. It is made where it is missing.
    package var root: String
    /// How long the servers wait for a silent broker before they drop its announcement. They may narrow it to their own
    /// limits.
    package var sessionTimeout: Duration
    /// `user:password` of ZooKeeper's digest scheme.
    package var digest: String?
    /// Of nodes that are made here; nil: `private` with a ``digest``, else `world`. What is there already stays as it is.
    package var nodeAccess: ZooKeeperNodeAccess?
    /// Stands for this machine in the list of producers.
    package var hostname: String
    /// How long to gather further changes once the first is seen, so that changes made together make one snapshot.
    package var settleTime: Duration = .milliseconds(50)
    /// The pause before another attempt after a failed one; doubles up to ``maximumBackoff``.
    package var initialBackoff: Duration = .milliseconds(250)
    package var maximumBackoff: Duration = .seconds(5)

    package init(
        servers: [String], root: String = "", sessionTimeout: Duration = .seconds(10), digest: String? = nil,
        nodeAccess: ZooKeeperNodeAccess? = nil, hostname: String? = nil
    ) {
        self.servers = servers
        self.root = root
        self.sessionTimeout = sessionTimeout
        self.digest = digest
        self.nodeAccess = nodeAccess
        self.hostname = hostname ?? LocalHost.name
    }

    /// Takes credentials as ZooKeeper's tools write them: `digest:USER:PASSWORD`.
    /// - Throws: ``RegistryError`` of code `invalid`, a sentence without the credentials.
    package mutating func authenticate(_ text: String) throws(RegistryError) {
        guard let colon = text.firstIndex(of: ":"), text[..<colon] == "digest" else {
            throw RegistryError(
                .invalid, "ZooKeeper's credentials must be digest:USER:PASSWORD; there is no other scheme.")
        }
        let credentials = text[text.index(after: colon)...]
        guard let second = credentials.firstIndex(of: ":"), second > credentials.startIndex else {
            throw RegistryError(.invalid, "ZooKeeper's credentials must be digest:USER:PASSWORD, with a user.")
        }
        guard digest == nil else {
            throw RegistryError(
                .invalid, "ZooKeeper's credentials are in the registry URL and beside it; give them once.")
        }
        digest = String(credentials)
    }

    var paths: ZooKeeperPaths { ZooKeeperPaths(root: root) }

    var effectiveAccess: ZooKeeperNodeAccess { nodeAccess ?? (digest == nil ? .world : .private) }
}
