import KiteQCore
import KiteQRegistry

/// Reads the registry's options.
enum RegistryFactory {
    /// - Parameter rule: who else may reach the file of the credentials.
    static func configuration(
        _ options: RegistryOptions, _ rule: SecretFileRule
    ) throws(CommandError) -> RegistryConfiguration {
        guard !options.url.isEmpty else {
            throw CommandError(
                "no registry: name it with --registry zk://HOST:2181 or file://PATH, KITEQ_REGISTRY, or url in [registry]",
                status: .usage)
        }
        let auth = try credentials(options, rule)
        do {
            let configuration = try RegistryConfiguration(url: options.url)
            guard case .zooKeeper(var zooKeeper) = configuration else {
                if auth != nil || options.acl != nil {
                    throw CommandError(
                        "registry.auth and registry.acl are for ZooKeeper, and the registry is a file",
                        about: "registry.auth", "registry.auth_file", "registry.acl", "registry.url")
                }
                return configuration
            }
            zooKeeper.sessionTimeout = options.sessionTimeout
            if let auth { try zooKeeper.authenticate(auth) }
            zooKeeper.nodeAccess = options.acl.map(ZooKeeperNodeAccess.init)
            if zooKeeper.digest == nil, let acl = options.acl, acl != .world {
                throw CommandError(
                    "registry.acl = \(acl.rawValue) needs registry.auth: without a user nodes are nobody's",
                    about: "registry.acl")
            }
            return .zooKeeper(zooKeeper)
        } catch let error as RegistryError {
            throw CommandError(error.message, about: "registry.url", "registry.auth")
        } catch let error as CommandError {
            throw error
        } catch {
            throw CommandError("\(error)")
        }
    }

    /// Nil where there are none.
    private static func credentials(_ options: RegistryOptions, _ rule: SecretFileRule) throws(CommandError) -> String?
    {
        if !options.auth.isEmpty { return options.auth }
        if options.authFile.isEmpty { return nil }
        return try SecretFile.read(options.authFile, what: "the registry's credentials", rule)
    }
}

extension ZooKeeperNodeAccess {
    init(_ access: RegistryOptions.NodeAccess) {
        switch access {
        case .world: self = .world
        case .creator: self = .creator
        case .private: self = .private
        }
    }
}
