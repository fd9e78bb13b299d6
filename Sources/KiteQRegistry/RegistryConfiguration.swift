package import KiteQCore
package import Logging

/// Which registry to use, as a registry URL names it.
package enum RegistryConfiguration: Sendable, Hashable {
    case zooKeeper(ZooKeeperConfiguration)
    /// A YAML file; see ``RegistryFile``.
    case file(path: String)

    /// Reads `zk://h1:2181,h2:2181`, `zk://h1:2181,h2:2181/env1`, `zk://user:password@h1:2181` or `file://PATH`.
    ///
    /// A ZooKeeper server without a port has 2181; a path behind the servers is where KiteQ's nodes are. PATH is taken as it stands, so `file:///etc/x.yaml` is absolute and
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
                .invalid,
                "\(scheme ?? "The registry URL") is not known; write zk://HOST:PORT,…, zk://HOST:PORT,…/PATH or file://PATH."
            )
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
        var root = ""
        if let slash = hosts.firstIndex(of: "/") {
            root = try Self.root(hosts[slash...])
            hosts = hosts[..<slash]
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
        return ZooKeeperConfiguration(servers: servers, root: root, digest: digest)
    }

    /// The path behind the servers, under which KiteQ's nodes are: "/" and "" are ZooKeeper's own root.
    private static func root(_ path: Substring) throws(RegistryError) -> String {
        let path = path.last == "/" ? path.dropLast() : path
        for step in path.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            guard !step.isEmpty else {
                throw RegistryError(.invalid, "The registry URL's path '\(path)' has a step without a name.")
            }
            try ZooKeeperPaths.check(String(step), "step of the registry URL's path")
        }
        return String(path)
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
        case .zooKeeper(let configuration): "zk://\(configuration.servers.joined(separator: ","))\(configuration.root)"
        case .file(let path): "file://\(path)"
        }
    }
}

extension String {
    fileprivate func droppingPrefix(_ prefix: String) -> Substring? {
        hasPrefix(prefix) ? dropFirst(prefix.count) : nil
    }
}
