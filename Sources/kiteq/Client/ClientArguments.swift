import ArgumentParser
import Foundation
import KiteQ
import KiteQCore
import KiteQRegistry
import Logging

/// The flags of commands that are clients of brokers: where they are, and who we are to them.
struct ClientArguments: ParsableArguments {
    @Option(help: ArgumentHelp("The brokers, separated by commas (KITEQ_BROKERS).", valueName: "host:port"))
    var brokers: String?

    @Option(
        help: ArgumentHelp(
            "Find the brokers there: zk://HOST:2181,HOST:2181/PATH or file://PATH (KITEQ_REGISTRY).", valueName: "url"))
    var registry: String?

    @Option(
        help: ArgumentHelp(
            "A file with ZooKeeper's credentials, digest:USER:PASSWORD in one line (KITEQ_REGISTRY_AUTH_FILE).",
            valueName: "file"))
    var registryAuthFile: String?

    @Option(help: ArgumentHelp("A file with the group's secret, in one line.", valueName: "file"))
    var secretFile: String?

    @Flag(
        help:
            "Send the secret unencrypted to brokers that are not on this machine, where everybody on the network may know it."
    )
    var secretInPlainText = false

    @Flag(help: "Speak TLS, and trust the authorities that this machine trusts.")
    var tls = false

    @Option(help: ArgumentHelp("Speak TLS, and trust these authorities (a PEM file).", valueName: "file"))
    var tlsCa: String?

    @Option(help: ArgumentHelp("Speak TLS, and show this certificate (a PEM file).", valueName: "file"))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("The key of --tls-certificate (a PEM file).", valueName: "file"))
    var tlsKey: String?

    @Option(
        help: ArgumentHelp(
            "The name in the brokers' certificates. Default: the host that is connected to.", valueName: "name"))
    var tlsServerName: String?

    @Option(help: ArgumentHelp("What is logged to standard error. Default: warning.", valueName: "level"))
    var logLevel: String?

    /// Where brokers are found.
    enum Discovery: Sendable, Hashable {
        case brokers([BrokerAddress])
        /// A registry URL.
        case registry(String)
    }

    /// A flag wins over a variable; `--brokers` and `--registry` exclude each other.
    func discovery(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(CommandError) -> Discovery {
        switch (brokers, registry) {
        case (.some, .some):
            throw CommandError("--brokers and --registry are both given; give one of them", status: .usage)
        case (let brokers?, nil): return .brokers(try Self.addresses(brokers, named: "--brokers", status: .usage))
        case (nil, let registry?): return .registry(registry)
        case (nil, nil): break
        }
        if let brokers = environment["KITEQ_BROKERS"], !brokers.isEmpty {
            return .brokers(try Self.addresses(brokers, named: "KITEQ_BROKERS", status: .failure))
        }
        if let registry = environment["KITEQ_REGISTRY"], !registry.isEmpty { return .registry(registry) }
        throw CommandError(
            "no brokers: name them with --brokers HOST:PORT or --registry zk://HOST:2181 (KITEQ_BROKERS, KITEQ_REGISTRY)",
            status: .usage)
    }

    private static func addresses(
        _ text: String, named name: String, status: CommandError.Status
    ) throws(CommandError) -> [BrokerAddress] {
        var addresses: [BrokerAddress] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let address = BrokerAddress(part) else {
                throw CommandError(
                    "\(name) must be HOST:PORT,HOST:PORT with ports from 1 to 65535, not '\(text)'", status: status)
            }
            addresses.append(address)
        }
        return addresses
    }

    /// Who the client is and where its brokers are.
    /// - Throws: ``CommandError`` where an address or a URL cannot be used, or the secret's file cannot be read.
    func configuration(group: String) throws(CommandError) -> KiteQConfiguration {
        let found: KiteQConfiguration.Discovery
        var credentials: ZooKeeperCredentials?
        switch try discovery() {
        case .brokers(let addresses): found = .brokers(addresses.map(\.description))
        case .registry(let url):
            // Refused here, with what is wrong, and not later.
            let options = try registryOptions(url)
            let registry: RegistryConfiguration
            do {
                registry = try RegistryFactory.configuration(options, .unchecked)
            } catch {
                throw error.judged(by: self.registry == nil ? [:] : ["registry.url": "--registry"])
            }
            let rest = String(url.drop { $0 != ":" }.dropFirst("://".count))
            if case .zooKeeper(let zooKeeper) = registry {
                // The credentials beside the URL, or in it: shown in one way.
                found = .zooKeeper(
                    String(rest[(rest.lastIndex(of: "@").map(rest.index(after:)) ?? rest.startIndex)...]))
                credentials = zooKeeper.digest.map { ZooKeeperCredentials(digest: $0, options.acl) }
            } else {
                found = .file(rest)
            }
        }
        var configuration = KiteQConfiguration(group: group, secret: try secret(), discovery: found)
        configuration.zooKeeperCredentials = credentials
        configuration.tls = try encryption()
        configuration.sendsSecretInPlainText = secretInPlainText
        return configuration
    }

    /// The registry that the brokers are found in; nil where they are named.
    func registryConfiguration() throws(CommandError) -> RegistryConfiguration? {
        guard case .registry(let url) = try discovery() else { return nil }
        return try RegistryFactory.configuration(try registryOptions(url), .unchecked)
    }

    /// The registry at a URL, with what the flags and the variables of `serve` say about it.
    func registryOptions(
        _ url: String, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(CommandError) -> RegistryOptions {
        var loader = ConfigurationLoader(environment: environment.filter { $0.key.hasPrefix("KITEQ_REGISTRY_") })
        if let registryAuthFile {
            loader.flags.append(.init("--registry-auth-file", "registry.auth_file", registryAuthFile))
        }
        var options = try loader.load().registry
        options.url = url
        return options
    }

    /// Nil where no flag asks for it.
    func encryption() throws(CommandError) -> KiteQTLS? {
        guard (tlsCertificate == nil) == (tlsKey == nil) else {
            throw CommandError("--tls-certificate and --tls-key go together: give both", status: .usage)
        }
        let isWanted = tls || tlsCa != nil || tlsCertificate != nil || tlsServerName != nil
        return isWanted
            ? KiteQTLS(
                authoritiesFile: tlsCa, certificateFile: tlsCertificate, keyFile: tlsKey, serverName: tlsServerName)
            : nil
    }

    /// "" where there is none.
    private func secret() throws(CommandError) -> String {
        guard let secretFile else { return "" }
        return try SecretFile.read(secretFile, what: "the group's secret", .unchecked)
    }

    func log() throws(CommandError) -> LogConfiguration {
        guard let logLevel else { return LogConfiguration(level: .warning) }
        let codec = ConfigurationCodec.logLevel
        guard let level = codec.parse(logLevel) else {
            throw CommandError("--log-level must be \(codec.allowed), not '\(logLevel)'", status: .usage)
        }
        return LogConfiguration(level: level)
    }

    /// A name that the protocol takes: 1 to 255 bytes.
    static func check(_ name: String, _ flag: String) throws(ValidationError) {
        guard (1...255).contains(name.utf8.count) else { throw ValidationError("\(flag) takes 1 to 255 bytes.") }
    }
}

extension ZooKeeperCredentials {
    /// - Parameter digest: `USER:PASSWORD`, as the factory has checked it.
    init(digest: String, _ acl: RegistryOptions.NodeAccess?) {
        let user = digest.prefix { $0 != ":" }
        let access: NodeAccess =
            switch acl {
            case .world: .world
            case .creator: .creator
            case .private, nil: .private
            }
        self = .digest(user: String(user), password: String(digest.dropFirst(user.count + 1)), nodeAccess: access)
    }
}
