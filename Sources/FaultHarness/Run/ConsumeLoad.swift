import KiteQ
import Logging
import ServiceLifecycle
import Synchronization

/// The consumers of a run: each is connected to one broker, so that it is known who delivered.
final class ConsumeLoad: Sendable {
    private let configuration: HarnessConfiguration
    private let history: History
    private let key: MessageKey
    private let consumers: Mutex<[Consumer]>
    private let strange = Mutex<[String]>([])

    /// The consumer does not want it, as planned.
    private struct Declined: Error {}

    init(_ configuration: HarnessConfiguration, _ history: History, addresses: [String], logger: Logger) throws {
        self.configuration = configuration
        self.history = history
        key = MessageKey(seed: configuration.seed)
        consumers = Mutex([])
        let topology = Topology(brokers: configuration.brokers)
        for group in Topology.groups.indices {
            let subscriptions = Topology.kinds.filter { $0.groups.contains(group) }.map {
                Subscription(topic: $0.topic, .messageType($0.messageType))
            }
            for broker in topology.brokers(ofGroup: group) {
                var client = KiteQConfiguration(
                    group: Topology.groups[group], discovery: .brokers([addresses[broker]]))
                client.maxBackoff = .milliseconds(500)
                for _ in 0..<configuration.consumersPerBroker {
                    // More at a time than a broker's window: a delivery never waits here for its turn.
                    let consumer = try Consumer(
                        client, subscriptions: subscriptions, concurrency: 4_096, logger: logger
                    ) { [self] message in
                        try await take(message, group: group, broker: broker)
                    }
                    consumers.withLock { $0.append(consumer) }
                }
            }
        }
    }

    var services: [any Service] { consumers.withLock { $0 } }

    /// Deliveries that are none of the run's messages, or not as they were published.
    var complaints: [String] { strange.withLock { $0 } }

    private func take(_ message: IncomingMessage, group: Int, broker: Int) async throws {
        guard let number = key.number(of: message.id), number < history.gauges.messages else {
            return complain("\(Topology.groups[group]) got message \(message.id), which nobody published")
        }
        let plan = MessagePlan(seed: configuration.seed, number: number)
        let kind = Topology.kinds[plan.kind]
        if message.body != .text(MessageText.body(number, plan)) || message.topic != kind.topic
            || message.messageType != kind.messageType
        {
            complain(
                "\(Topology.groups[group]) got message \(number) (\(message.id)) with a content that is not its own")
        }
        let isPoison = plan.isPoison && group == kind.groups.last
        let delivery = history.beginDelivery(number, group: group, broker: broker) { before in
            isPoison || before < plan.refusals
        }
        try await Task.sleep(for: holding(number, group, delivery.number))
        history.endDelivery(delivery, isPoison: isPoison)
        if delivery.isToBeRefused { throw Declined() }
    }

    private func holding(_ number: UInt32, _ group: Int, _ delivery: UInt8) -> Duration {
        let mixed = SplitMix64.mix(configuration.seed ^ UInt64(number) << 16 ^ UInt64(group) << 8 ^ UInt64(delivery))
        let part = Double(mixed >> 11) / Double(1 << 53)
        return configuration.hold.lowerBound + (configuration.hold.upperBound - configuration.hold.lowerBound) * part
    }

    private func complain(_ text: String) { strange.withLock { if $0.count < 100 { $0.append(text) } } }
}
