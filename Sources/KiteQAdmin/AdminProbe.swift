package import KiteQBroker
package import KiteQCore

/// What the administration's server asks of the broker it belongs to.
package struct AdminProbe: Sendable {
    /// Whether the broker can do its work.
    package var readiness: @Sendable () -> Readiness
    /// Whether `/readyz` says that it is not ready as soon as one shard cannot be used, unless it is asked for the other rule.
    package var requiresAllShards: Bool
    /// What it did and holds; nil before it serves.
    package var status: @Sendable () -> BrokerStatus?
    package var isRegistryConnected: @Sendable () -> Bool

    package init(
        readiness: @escaping @Sendable () -> Readiness, requiresAllShards: Bool = false,
        status: @escaping @Sendable () -> BrokerStatus?, isRegistryConnected: @escaping @Sendable () -> Bool = { true }
    ) {
        self.requiresAllShards = requiresAllShards
        self.isRegistryConnected = isRegistryConnected
        self.readiness = readiness
        self.status = status
    }

    package init(_ broker: Broker, requiresAllShards: Bool = false) {
        self.init(
            readiness: { broker.readiness }, requiresAllShards: requiresAllShards, status: { broker.status },
            isRegistryConnected: { broker.isRegistryConnected })
    }
}
