import KiteQ
import Logging
import ServiceLifecycle
import Synchronization

/// Publishes a message to each broker alone several times a second, whatever becomes of those before it, and notes when one is accepted.
/// They are messages of the run, as the others.
final class BrokerProbe: Sendable {
    /// As often.
    private static let interval: Duration = .milliseconds(250)
    /// A broker that answers nothing is not asked for more than so many.
    private static let mostOpen = 120
    /// Publishes flow where the last one was accepted within that time.
    private static let pulse: UInt32 = 15_000
    /// How long before a fault its gap begins.
    private static let lead: UInt32 = 5_000

    private let load: PublishLoad
    private let history: History
    private let topology: Topology
    private let producers: [Producer]
    private let accepted: Mutex<[[UInt32]]>
    private let open: Mutex<[Int]>

    init(
        _ configuration: HarnessConfiguration, _ load: PublishLoad, _ history: History, addresses: [String],
        logger: Logger
    ) throws {
        self.load = load
        self.history = history
        topology = Topology(brokers: configuration.brokers, traits: configuration.traits)
        producers = try addresses.map { try load.makeProducer(publisher: 0, addresses: [$0], logger: logger) }
        accepted = Mutex(Array(repeating: [], count: addresses.count))
        open = Mutex(Array(repeating: 0, count: addresses.count))
    }

    var services: [any Service] { producers }

    /// Publishes until the load is stopped.
    func run() async {
        await withDiscardingTaskGroup { tasks in
            for broker in producers.indices { tasks.addTask { await self.run(broker) } }
        }
    }

    private func run(_ broker: Int) async {
        await withDiscardingTaskGroup { tasks in
            while !load.isStopped {
                let isFree = open.withLock { open in
                    guard open[broker] < Self.mostOpen else { return false }
                    open[broker] += 1
                    return true
                }
                if isFree {
                    tasks.addTask {
                        await self.load.sendOnce {
                            self.producer(broker, $0)
                        } onAccepted: {
                            self.accepted.withLock { $0[broker].append(self.history.now) }
                        }
                        self.open.withLock { $0[broker] -= 1 }
                    }
                }
                do {
                    try await Task.sleep(for: Self.interval)
                } catch {
                    return  // The run is over.
                }
            }
        }
    }

    /// A broker that does not serve the topic is spared it.
    private func producer(_ broker: Int, _ plan: MessagePlan) -> Producer {
        let isServed = topology.topics(ofBroker: broker).contains(Topology.kinds[plan.kind].topic)
        return producers[isServed ? broker : 0]
    }

    /// Whether each of these brokers has accepted something just now.
    func isFlowing(_ brokers: [Int]) -> Bool {
        let now = history.now
        return accepted.withLock { accepted in
            brokers.allSatisfy { broker in accepted[broker].last.map { now < $0 + Self.pulse } ?? false }
        }
    }

    /// The longest time without an accepted publish at any of these brokers, from a little before `start` on.
    func gap(from start: UInt32, to end: UInt32, at brokers: [Int]) -> UInt32 {
        let accepted = accepted.withLock { $0 }
        let begin = start > Self.lead ? start - Self.lead : 0
        return brokers.map { Gaps.longest(accepted[$0], from: begin, to: end) }.max() ?? 0
    }
}
