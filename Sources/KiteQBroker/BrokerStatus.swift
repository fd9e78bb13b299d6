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
}
