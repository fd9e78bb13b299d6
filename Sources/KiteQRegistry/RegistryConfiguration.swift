package import KiteQCore
package import Logging

/// Which registry to use, as a registry URL names it.
package enum RegistryConfiguration: Sendable, Hashable {
    case zooKeeper(ZooKeeperConfiguration)
    /// A YAML file; see ``RegistryFile``.
    case file(path: String)

    /// Reads `zk://h1:2181,h2:2181`, `zk://user:password@h1:2181` or `file://PATH`.
    ///
    /// A ZooKeeper server without a port has 2181. PATH is taken as it stands, so `file:///etc/x.yaml` is absolute and
    /// `file://x.yaml` relative to the working directory.
    /// - Throws: ``RegistryError`` of code `invalid`, with one sentence that says what is wrong; it never repeats a
    ///   password.
    package init(url: String) throws(RegistryError) {
        if let path = url.droppingPrefix("file://") {
            guard !path.isEmpty else {
                throw RegistryError(.invalid, "The registry URL 'file://' names no file; write file://PATH.")
            }
            self = .file(path: String(path))
        } else if let rest = url.droppingPrefix("zk://") {
            self = .zooKeeper(try Self.zooKeeper(rest))
        } else {
            let scheme = url.firstRange(of: "://").map { "The scheme '\(url[..<$0.lowerBound])' of the registry URL" }
            throw RegistryError(
                .invalid, "\(scheme ?? "The registry URL") is not known; write zk://HOST:PORT,… or file://PATH.")
        }
    }

    private static func zooKeeper(_ text: Substring) throws(RegistryError) -> ZooKeeperConfiguration {
        var hosts = text
        var digest: String?
        // The password may hold an '@', a host cannot.
        if let at = text.lastIndex(of: "@") {
            let credentials = text[..<at]
            guard let colon = credentials.firstIndex(of: ":"), colon > credentials.startIndex else {
                throw RegistryError(
                    .invalid, "The registry URL has an '@' but no user:password before it; write zk://USER:PASSWORD@….")
            }
            digest = String(credentials)
            hosts = text[text.index(after: at)...]
        }
        if hosts.last == "/" { hosts.removeLast() }
        if hosts.contains("/") {
            throw RegistryError(
                .invalid, "The registry URL has a path after its servers; KiteQ's nodes are always under /kiteq.")
        }
        var servers: [String] = []
        for part in hosts.split(separator: ",", omittingEmptySubsequences: false) {
            let hasPort = part.last != "]" && part.contains(":")
            guard let address = BrokerAddress(hasPort ? String(part) : "\(part):2181") else {
                throw RegistryError(
                    .invalid, "The registry URL names the server '\(part)', which is no HOST:PORT.")
            }
            servers.append(address.description)
        }
        return ZooKeeperConfiguration(servers: servers, digest: digest)
    }

    /// A registry of this configuration; nothing happens before its `run()`.
    package func makeRegistry(logger: Logger) -> any Registry {
        switch self {
        case .zooKeeper(let configuration): ZooKeeperRegistry(configuration: configuration, logger: logger)
        case .file(let path): FileRegistry(path: path, logger: logger)
        }
    }
}

extension RegistryConfiguration: CustomStringConvertible {
    /// The URL, without its password.
    package var description: String {
        switch self {
        case .zooKeeper(let configuration): "zk://\(configuration.servers.joined(separator: ","))"
        case .file(let path): "file://\(path)"
        }
    }
}

extension String {
    fileprivate func droppingPrefix(_ prefix: String) -> Substring? {
        hasPrefix(prefix) ? dropFirst(prefix.count) : nil
    }
}
