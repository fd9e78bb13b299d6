import KiteQCore

/// What is known of the brokers that serve one topic.
///
/// A broker leaves when its node goes from under the topic node that it was seen under. One that is missing for any other
/// reason was lost with ZooKeeper's data, and will announce itself anew; clients are not to drop it for that. Where it is gone for good
/// its entry costs a client an attempt to connect now and then, for as long as the client runs.
struct TopicBrokers {
    /// Nil for one that was lost.
    private var lastSeen: [BrokerAddress: Sighting?] = [:]
    private(set) var isKnown = false

    /// Sorted.
    var brokers: [BrokerAddress] { lastSeen.keys.sorted { $0.description < $1.description } }

    /// Takes in which brokers there are.
    /// - Parameter sighting: Nil where the topic has no node.
    /// - Returns: Those that are missing and stay all the same, where that is news.
    mutating func list(_ present: [BrokerAddress], _ sighting: Sighting?) -> [BrokerAddress] {
        isKnown = true
        var lost: [BrokerAddress] = []
        for (broker, seen) in lastSeen where !present.contains(broker) {
            guard let seen else { continue }
            if let sighting, seen.provesDeletion(by: sighting) {
                lastSeen[broker] = nil
            } else {
                lastSeen[broker] = .some(nil)
                lost.append(broker)
            }
        }
        for broker in present { lastSeen[broker] = sighting }
        return lost.sorted { $0.description < $1.description }
    }
}
