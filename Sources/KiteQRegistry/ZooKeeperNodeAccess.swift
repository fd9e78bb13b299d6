/// Who may use the nodes that are made in ZooKeeper.
package enum ZooKeeperNodeAccess: String, Sendable, Hashable, CaseIterable {
    /// Everybody may do everything, as KiteQ's public clients expect.
    case world
    /// Everybody may read: all clients find brokers. Only who shows the same credentials may change them, so consumers need
    /// those to bind.
    case creator
    /// Nobody without the same credentials: brokers and clients must all have them.
    case `private`
}
