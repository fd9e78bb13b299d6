package import KiteQCore

/// What a reload may change, as one value: sessions take it whole, at the start of a read.
package final class SessionSettings: Sendable {
    private let configuration: BrokerConfiguration
    package let topics: Set<String>
    let served: ServedTopics
    package let access: AccessRules
    package let tls: ServerTLS?
    /// 0: no limit.
    let receiveRate: Int
    let maxConnections: Int
    let maxConnectionsPerAddress: Int
    let maxPacket: Int
    let maxProperties: Int
    /// By the groups that messages are for.
    let bodyLimits: BodyLimits
    let handshakeTimeout: Duration
    let packetTimeout: Duration
    let idleTimeout: Duration

    /// What whoever runs this should know, each a sentence.
    ///
    /// - Parameter now: Unix milliseconds.
    package func warnings(now: Timestamp) -> [String] {
        var warnings: [String] = []
        let plain = access.groups.filter { $0.value.secrets.contains { $0.rounds == 0 } }.keys.map(\.text).sorted()
        if !plain.isEmpty {
            warnings.append(
                "secrets of \(plain.count) groups are in plain text (\(plain.prefix(5).joined(separator: ", "))): "
                    + "kiteq secret hash makes hashes of them, for groups.file")
        }
        return warnings + [access.warning].compactMap { $0 } + (tls?.warnings(now: now) ?? [])
    }

    /// Reads the files of TLS.
    /// - Throws: ``BrokerError``, a sentence.
    package convenience init(_ configuration: BrokerConfiguration) throws(BrokerError) {
        self.init(
            configuration, tls: try ServerTLS.load(configuration.tls, configuration.secretFiles),
            topics: configuration.topics)
    }

    /// The same, for other topics.
    func serving(_ topics: Set<String>) -> SessionSettings {
        SessionSettings(configuration, tls: tls, topics: topics)
    }

    private init(_ configuration: BrokerConfiguration, tls: ServerTLS?, topics: Set<String>) {
        self.configuration = configuration
        self.topics = topics
        served = ServedTopics(topics, configuration.topicCatalog)
        access = configuration.access
        self.tls = tls
        receiveRate = configuration.receiveRate
        maxConnections = configuration.maxConnections
        maxConnectionsPerAddress = configuration.maxConnectionsPerAddress
        maxPacket = configuration.maxPacket
        maxProperties = configuration.maxProperties
        bodyLimits = BodyLimits(groups: configuration.access.groups)
        handshakeTimeout = configuration.handshakeTimeout
        packetTimeout = configuration.packetTimeout
        idleTimeout = configuration.idleTimeout
    }
}
