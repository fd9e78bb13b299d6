package import KiteQBroker

/// What the administration's server asks of the broker it belongs to.
package struct AdminProbe: Sendable {
    /// Why the broker is not ready, in a sentence; nil where it is.
    package var whyNotReady: @Sendable () async -> String?
    /// What it did and holds; nil before it serves.
    package var status: @Sendable () -> BrokerStatus?
    package var isRegistryConnected: @Sendable () -> Bool

    package init(
        whyNotReady: @escaping @Sendable () async -> String?, status: @escaping @Sendable () -> BrokerStatus?,
        isRegistryConnected: @escaping @Sendable () -> Bool = { true }
    ) {
        self.isRegistryConnected = isRegistryConnected
        self.whyNotReady = whyNotReady
        self.status = status
    }

    package init(_ broker: Broker) {
        self.init(
            whyNotReady: { await broker.whyNotReady() }, status: { broker.status },
            isRegistryConnected: { broker.isRegistryConnected })
    }
}
