import KiteQCore
import KiteQRegistry
import NIOConcurrencyHelpers

/// A registry that has lost all bindings but some: it says those, and what its followers remember. Or it never answers.
final class RecallingRegistry: Registry {
    private let base = StaticRegistry(bindings: [])
    private let own: [Binding]?
    private let asked = NIOLockedValueBox<[[Binding]?]>([])

    /// - Parameter own: nil for one that does not answer.
    init(_ own: [Binding]?) { self.own = own }

    /// What its followers remembered, call by call.
    var recalled: [[Binding]?] { asked.withLockedValue { $0 } }

    func snapshots(of topics: [String], lastKnown: [Binding]?) -> AsyncStream<BindingSnapshot> {
        asked.withLockedValue { $0.append(lastKnown) }
        return AsyncStream { stream in
            if let own { stream.yield(BindingSnapshot(own + (lastKnown ?? []).filter { !own.contains($0) })) }
        }
    }

    var isConnected: Bool { own != nil }

    // MARK: The rest as it is

    func run() async throws { try await base.run() }
    func register(_ broker: BrokerAddress, topics: [String]) async throws {
        try await base.register(broker, topics: topics)
    }
    func unregister() async throws { try await base.unregister() }
    func brokers(of topic: String) -> AsyncStream<[BrokerAddress]> { base.brokers(of: topic) }
    func publish(bindings: [Binding], of group: String) async throws {
        try await base.publish(bindings: bindings, of: group)
    }
    func announceProducer(group: String, topics: [String]) async throws {
        try await base.announceProducer(group: group, topics: topics)
    }
}
