import KiteQCore
import Synchronization

/// The brokers and bindings of a registry that holds them all, and those who follow them.
final class RegistryContents: Sendable {
    struct Listing: Sendable, Equatable {
        var brokers: [BrokerAddress: [String]] = [:]
        var bindings: [Binding] = []

        /// The brokers that serve the topic, sorted.
        func brokers(of topic: String) -> [BrokerAddress] {
            let topic = BindingName(topic)
            return brokers.filter { $0.value.contains { BindingName($0) == topic } }.keys
                .sorted { $0.description < $1.description }
        }

        func bindings(of topics: Set<BindingName>) -> [Binding] {
            bindings.filter { topics.contains(BindingName($0.topic)) }
        }
    }

    private struct State {
        /// Nil while nothing is known.
        var listing: Listing?
        var isEnded = false
        var bindingSubscriptions = SnapshotSubscriptions<Set<BindingName>, BindingSnapshot>()
        var brokerSubscriptions = SnapshotSubscriptions<String, [BrokerAddress]>()

        mutating func refresh() {
            guard let listing else { return }
            bindingSubscriptions.refresh { BindingSnapshot(listing.bindings(of: $0)) }
            brokerSubscriptions.refresh { listing.brokers(of: $0) }
        }
    }

    private let state: Mutex<State>

    init(_ listing: Listing?) {
        state = Mutex(State(listing: listing))
    }

    var listing: Listing? { state.withLock { $0.listing } }

    /// Changes what is there; followers hear of it where it concerns them.
    func update(_ change: (inout Listing) -> Void) {
        state.withLock { state in
            var listing = state.listing ?? Listing()
            change(&listing)
            state.listing = listing
            state.refresh()
        }
    }

    func finish() {
        let (bindings, brokers) = state.withLock { state in
            state.isEnded = true
            return (state.bindingSubscriptions.removeAll(), state.brokerSubscriptions.removeAll())
        }
        for continuation in bindings { continuation.finish() }
        for continuation in brokers { continuation.finish() }
    }

    func snapshots(of topics: [String]) -> AsyncStream<BindingSnapshot> {
        let (stream, continuation) = AsyncStream<BindingSnapshot>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state -> UInt64? in
            if state.isEnded { return nil }
            defer { state.refresh() }
            return state.bindingSubscriptions.add(Set(topics.map { BindingName($0) }), continuation)
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = afterwards { [weak self] in
            _ = self?.state.withLock { $0.bindingSubscriptions.remove(id) }
        }
        return stream
    }

    func brokers(of topic: String) -> AsyncStream<[BrokerAddress]> {
        let (stream, continuation) = AsyncStream<[BrokerAddress]>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state -> UInt64? in
            if state.isEnded { return nil }
            defer { state.refresh() }
            return state.brokerSubscriptions.add(topic, continuation)
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = afterwards { [weak self] in
            _ = self?.state.withLock { $0.brokerSubscriptions.remove(id) }
        }
        return stream
    }
}
