import KiteQCore
import KiteQRegistry

/// Reads the registry's options.
enum RegistryFactory {
    static func configuration(_ options: RegistryOptions) throws(CommandError) -> RegistryConfiguration {
        guard !options.url.isEmpty else {
            throw CommandError(
                "no registry: name it with --registry zk://HOST:2181 or file://PATH, KITEQ_REGISTRY, or url in [registry]",
                status: .usage)
        }
        do {
            let configuration = try RegistryConfiguration(url: options.url)
            if case .zooKeeper(var zooKeeper) = configuration {
                zooKeeper.sessionTimeout = options.sessionTimeout
                return .zooKeeper(zooKeeper)
            }
            return configuration
        } catch {
            throw CommandError(error.message)
        }
    }
}
