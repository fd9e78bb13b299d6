package import KiteQCore
import Synchronization

/// A registry that knows what it was given: for clients with a fixed list of brokers, and for tests.
///
/// Nothing waits for ``run()``, which only ends the streams when it is cancelled.
package final class StaticRegistry: Registry {
    private let contents: RegistryContents
    private let registered = Mutex<BrokerAddress?>(nil)

    /// - Parameter brokers: The brokers and the topics each serves.
    package init(brokers: [BrokerAddress: [String]] = [:], bindings: [Binding] = []) {
        contents = RegistryContents(.init(brokers: brokers, bindings: bindings))
    }

    /// Replaces the bindings; followers hear of it.
    package func update(bindings: [Binding]) {
        contents.update { $0.bindings = bindings }
    }

    /// Replaces the brokers; followers hear of it.
    package func update(brokers: [BrokerAddress: [String]]) {
        contents.update { $0.brokers = brokers }
    }

    package var isConnected: Bool { true }

    package func run() async throws {
        let (never, continuation) = AsyncStream<Never>.makeStream()
        for await _ in never {}  // Ends when the task is cancelled.
        continuation.finish()
        contents.finish()
    }

    /// Adds the broker to the list, or gives it other topics.
    package func register(_ broker: BrokerAddress, topics: [String]) async throws {
        let former = registered.withLock { registered in
            defer { registered = broker }
            return registered
        }
        contents.update { listing in
            if let former { listing.brokers[former] = nil }
            listing.brokers[broker] = topics
        }
    }

    package func unregister() async throws {
        guard let broker = registered.withLock({ $0.take() }) else { return }
        contents.update { $0.brokers[broker] = nil }
    }

    /// Replaces the bindings of the group.
    package func publish(bindings: [Binding], of group: String) async throws {
        contents.update { listing in
            listing.bindings.removeAll { BindingName($0.group) == BindingName(group) }
            listing.bindings += bindings
        }
    }

    package func removeBindings(of group: String, from topics: [String]) async throws {
        let topics = Set(topics.map(BindingName.init))
        contents.update { listing in
            listing.bindings.removeAll {
                BindingName($0.group) == BindingName(group) && topics.contains(BindingName($0.topic))
            }
        }
    }

    package func announceProducer(group: String, topics: [String]) async throws {}

    package func snapshots(of topics: [String], lastKnown: [Binding]?) -> AsyncStream<BindingSnapshot> {
        contents.snapshots(of: topics)
    }

    package func brokers(of topic: String) -> AsyncStream<[BrokerAddress]> {
        contents.brokers(of: topic)
    }
}
