/// How a client shows ZooKeeper who it is, and whose the nodes are that it makes there: a consumer's bindings.
public struct ZooKeeperCredentials: Sendable, Hashable {
    /// Who may use the nodes that the client makes.
    public enum NodeAccess: Sendable, Hashable {
        /// Everybody may do everything.
        case world
        /// Everybody may read, who shows the same credentials may change.
        case creator
        /// Who shows the same credentials, and nobody else.
        case `private`
    }

    public var user: String
    public var password: String
    /// The same as the brokers' `registry.acl`.
    public var nodeAccess: NodeAccess

    /// ZooKeeper's digest scheme, the one that needs nothing set up at its servers.
    public static func digest(
        user: String, password: String, nodeAccess: NodeAccess = .private
    ) -> ZooKeeperCredentials {
        ZooKeeperCredentials(user: user, password: password, nodeAccess: nodeAccess)
    }
}

extension ZooKeeperCredentials: CustomStringConvertible {
    /// Without the password: what is printed ends in logs.
    public var description: String { "digest:\(user):(hidden)" }
}
