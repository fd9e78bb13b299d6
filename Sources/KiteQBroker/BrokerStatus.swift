package import KiteQCore

/// What a broker did since its start, and what it holds now: for metrics and the console.
package struct BrokerStatus: Sendable {
    package var delivery: DeliveryCounters
    package var gauges: DeliveryGauges
    package var publishing: PublishCounters
    package var transactions: TransactionCounters
    package var publishQueue: (items: Int, bytes: Int)
    package var connections: Int
    package var connectionsByGroup: [String: Int]
    package var malformedPackets: Int
    package var refusedConnections: Int
    /// What was refused, by kind: connections, and publishes of groups without the right to (`publish`).
    package var refusals: [String: Int]
    /// Clients whose connection is encrypted.
    package var tlsConnections: Int
    /// Those that are served now.
    package var topics: [String]
}
