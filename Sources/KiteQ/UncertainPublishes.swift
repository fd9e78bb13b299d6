import KiteQCore
import NIOCore

/// Which broker a message was sent to whose publish nobody knows the outcome of.
///
/// That broker remembers the ids of what it has finished, the others do not: published again there, the message is not delivered
/// twice. Bounded: the oldest are forgotten.
struct UncertainPublishes: Sendable {
    private var brokers: [String: BrokerAddress] = [:]
    /// In the order they came; those that were settled go when they come to the front, or outnumber the others.
    private var order = CircularBuffer<String>()
    private let limit: Int

    init(limit: Int = 10_000) {
        self.limit = limit
    }

    var count: Int { brokers.count }

    /// The hexadecimal digits of an id may be of either case.
    subscript(id: String) -> BrokerAddress? { brokers.isEmpty ? nil : brokers[id.lowercased()] }

    /// The first broker stays: what followed was meant for it.
    mutating func note(_ id: String, _ broker: BrokerAddress) {
        let id = id.lowercased()
        guard brokers[id] == nil else { return }
        while brokers.count >= limit, let oldest = order.popFirst() { brokers[oldest] = nil }
        brokers[id] = broker
        order.append(id)
        if order.count > 2 * limit { order.removeAll { brokers[$0] == nil } }
    }

    /// Its outcome is known.
    mutating func settle(_ id: String) {
        guard !brokers.isEmpty else { return }
        brokers[id.lowercased()] = nil
        if brokers.isEmpty { order.removeAll() }
    }
}
