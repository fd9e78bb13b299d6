package import KiteQBroker
package import KiteQCore

/// What the administration's API is made of.
package struct AdminServices: Sendable {
    package var version: String
    package var broker: Broker
    package var store: any OperatorStore
    package var access: AdminAccess
    /// The options in force, secrets hidden.
    package var configuration: @Sendable () async -> [ConfigurationItem]
    /// Reads the configuration again: all that can change without a restart does, or nothing.
    package var reload: @Sendable () async throws -> ReloadReport
    /// Ends the process in order.
    package var drain: @Sendable () async -> Void

    package init(
        version: String, broker: Broker, store: any OperatorStore, access: AdminAccess,
        configuration: @escaping @Sendable () async -> [ConfigurationItem],
        reload: @escaping @Sendable () async throws -> ReloadReport, drain: @escaping @Sendable () async -> Void
    ) {
        self.version = version
        self.broker = broker
        self.store = store
        self.access = access
        self.configuration = configuration
        self.reload = reload
        self.drain = drain
    }
}

/// One option of the configuration, for people.
package struct ConfigurationItem: Sendable, Hashable, Encodable {
    package var key: String
    /// As it would be written in the file; `(hidden)` for a secret that is set.
    package var value: String
    /// Where it was said: the file, an environment variable, a flag, or `default`.
    package var source: String

    package init(key: String, value: String, source: String) {
        self.key = key
        self.value = value
        self.source = source
    }
}
