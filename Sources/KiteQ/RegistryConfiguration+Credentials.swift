import KiteQRegistry

extension RegistryConfiguration {
    /// ZooKeeper at a URL, with what a client shows it.
    /// - Throws: `RegistryError` of code `invalid`.
    init(url: String, _ credentials: ZooKeeperCredentials?) throws {
        try self.init(url: url)
        guard let credentials, case .zooKeeper(var zooKeeper) = self else { return }
        try zooKeeper.authenticate("digest:\(credentials.user):\(credentials.password)")
        zooKeeper.nodeAccess =
            switch credentials.nodeAccess {
            case .world: .world
            case .creator: .creator
            case .private: .private
            }
        self = .zooKeeper(zooKeeper)
    }
}
