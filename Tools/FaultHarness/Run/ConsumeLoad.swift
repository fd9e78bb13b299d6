import KiteQ
import Logging
import SeededRandom
import ServiceLifecycle
import Synchronization

/// The consumers of a run: each is connected to one broker, so that it is known who delivered.
final class ConsumeLoad: Sendable {
    private let configuration: HarnessConfiguration
    private let history: History
    private let key: MessageKey
    private let consumers: Mutex<[Consumer]>
    private let strange = Mutex<[String]>([])
    /// What stands between a consumer and its broker, where messages are to close the connection.
    private let proxies: Mutex<[Seat: FaultProxy]>

    private struct Seat: Hashable {
        var group: Int
        var broker: Int
        var consumer: Int
    }

    /// The consumer does not want it, as planned.
    private struct Declined: Error {}

    init(_ configuration: HarnessConfiguration, _ history: History, addresses: [String], logger: Logger) async throws {
        self.configuration = configuration
        self.history = history
        key = MessageKey(seed: configuration.seed)
        consumers = Mutex([])
        proxies = Mutex([:])
        let topology = Topology(brokers: configuration.brokers, traits: configuration.traits)
        for group in Topology.groups.indices {
            let subscriptions = Topology.kinds.filter { $0.groups.contains(group) }.map {
                Subscription(topic: $0.topic, .messageType($0.messageType))
            }
            for broker in topology.brokers(ofGroup: group) {
                for number in 0..<configuration.consumersPerBroker {
                    let seat = Seat(group: group, broker: broker, consumer: number)
                    let address = try await self.address(of: seat, broker: addresses[broker])
                    let consumer = try makeConsumer(seat, address, subscriptions, logger)
                    consumers.withLock { $0.append(consumer) }
                }
            }
        }
    }

    /// The broker's, or that of a proxy in front of it.
    private func address(of seat: Seat, broker address: String) async throws -> String {
        guard configuration.traits.contains(.deadly) else { return address }
        guard let port = address.split(separator: ":").last.flatMap({ Int($0) }) else {
            throw HarnessError("\(address) has no port")
        }
        let proxy = FaultProxy(server: port)
        let own = try await proxy.start()
        proxies.withLock { $0[seat] = proxy }
        return "127.0.0.1:\(own)"
    }

    private func makeConsumer(
        _ seat: Seat, _ address: String, _ subscriptions: [Subscription], _ logger: Logger
    ) throws -> Consumer {
        var client = KiteQConfiguration(group: Topology.groups[seat.group], discovery: .brokers([address]))
        client.maxBackoff = .milliseconds(500)
        if configuration.traits.contains(.slow), !Topology.tellsOfWork(consumer: seat.consumer) {
            client.handlerTimeout = .zero
        }
        // More at a time than a broker's window: a delivery never waits here for its turn.
        return try Consumer(client, subscriptions: subscriptions, concurrency: 4_096, logger: logger) {
            [self] message, connectedAt in try await take(message, seat, connectedAt: connectedAt)
        }
    }

    /// Ends what it has of its own, when its consumers have ended.
    func stop() async throws { for proxy in proxies.withLock({ Array($0.values) }) { try await proxy.stop() } }

    var services: [any Service] { consumers.withLock { $0 } }

    /// Deliveries that are none of the run's messages, or not as they were published.
    var complaints: [String] { strange.withLock { $0 } }

    private func take(_ message: IncomingMessage, _ seat: Seat, connectedAt: ContinuousClock.Instant) async throws {
        let group = seat.group
        guard let number = key.number(of: message.id), number < history.gauges.messages else {
            return complain("\(Topology.groups[group]) got message \(message.id), which nobody published")
        }
        let plan = MessagePlan(seed: configuration.seed, number: number, traits: configuration.traits)
        let kind = Topology.kinds[plan.kind]
        if message.body != .text(MessageText.body(number, plan)) || message.topic != kind.topic
            || message.messageType != kind.messageType
        {
            complain(
                "\(Topology.groups[group]) got message \(number) (\(message.id)) with a content that is not its own")
        }
        let isPoison = plan.isPoison && group == kind.groups.last
        let delivery = history.beginDelivery(
            number, group: group, broker: seat.broker, consumer: seat.consumer, connectedAt: connectedAt
        ) { before in isPoison || before < plan.refusals }
        try await Task.sleep(for: holding(number, plan, group, delivery.number))
        history.endDelivery(delivery, isPoison: isPoison)
        if isPoison && plan.isDeadly { try await die(seat) }
        if delivery.isToBeRefused { throw Declined() }
    }

    /// Closes the consumer's connection with all that is in flight on it, before anything could be answered.
    private func die(_ seat: Seat) async throws {
        guard let proxy = proxies.withLock({ $0[seat] }) else { throw HarnessError("no connection can be closed here") }
        history.loseConnection(group: seat.group, broker: seat.broker, consumer: seat.consumer)
        try await proxy.reset()
    }

    private func holding(_ number: UInt32, _ plan: MessagePlan, _ group: Int, _ delivery: UInt8) -> Duration {
        let mixed = SplitMix64.mix(configuration.seed ^ UInt64(number) << 16 ^ UInt64(group) << 8 ^ UInt64(delivery))
        let part = Double(mixed >> 11) / Double(1 << 53)
        let hold = delivery < plan.slowDeliveries ? configuration.slowHold : configuration.hold
        return hold.lowerBound + (hold.upperBound - hold.lowerBound) * part
    }

    private func complain(_ text: String) { strange.withLock { if $0.count < 100 { $0.append(text) } } }
}
