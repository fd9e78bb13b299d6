package import KiteQCore
package import Logging
import Synchronization

/// The registry that KiteQ's clients know: ZooKeeper.
///
/// One session with one handle at a time; ``run()`` is the only one to make calls on it, in passes over what is to be
/// looked at (``ZooKeeperRegistryState``). A lost connection changes nothing but ``isConnected``: the C client comes back
/// by itself, with all its watches. A session that expired, or was out of reach for longer than it can have lived, is
/// replaced by a new one, in which everything is announced and watched anew, and compared with what was known, so that
/// followers hear only of real changes. What is missing then because ZooKeeper lost its data is no change
/// (``TopicBindings``, ``TopicBrokers``).
package final class ZooKeeperRegistry: Registry {
    let configuration: ZooKeeperConfiguration
    let logger: Logger
    let state = Mutex(ZooKeeperRegistryState())
    /// Says that there is something to see to.
    let signals: AsyncStream<Void>
    let signal: AsyncStream<Void>.Continuation
    let absences = Mutex(LogThrottle(limit: 1, per: .seconds(60)))
    let nodeLines = Mutex(LogThrottle(limit: 20, per: .seconds(60)))
    let paths: ZooKeeperPaths

    package init(configuration: ZooKeeperConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        paths = configuration.paths
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    package var isConnected: Bool { state.withLock { $0.session == .connected } }

    // MARK: - Wishes

    package func register(_ broker: BrokerAddress, topics: [String]) async throws {
        for topic in topics { try ZooKeeperPaths.check(topic, "topic") }
        try await fulfil(.announcement) {
            $0.announcement = .init(broker: broker, topics: topics)
            $0.takesOver = true
        }
    }

    package func unregister() async throws {
        let isNothing = state.withLock { state in
            let isAnnounced = state.announcement != nil && state.session == .connected
            state.announcement = nil
            state.markDirty(.announcement)
            return state.held.isEmpty && !isAnnounced
        }
        if isNothing { return }
        try await fulfil(.announcement) { _ in }
    }

    package func publish(bindings: [Binding], of group: String) async throws {
        try ZooKeeperPaths.check(group, "group")
        for binding in bindings {
            try ZooKeeperPaths.check(binding.topic, "topic")
            guard BindingName(binding.group) == BindingName(group) else {
                throw RegistryError(
                    .invalid, "A binding of the group '\(group)' names the group '\(binding.group)'.")
            }
            if let problem = binding.problem { throw RegistryError(.invalid, "A binding of '\(group)' \(problem).") }
        }
        var wanted: [BindingName: [UInt8]?] = [:]
        for (topic, bindings) in Dictionary(grouping: bindings, by: { BindingName($0.topic) }) {
            let data = try BindingDocument.encode(bindings)
            guard data.count <= Self.maximumNodeSize else {
                throw RegistryError(
                    .invalid,
                    """
                    The bindings of '\(group)' to '\(topic.text)' take \(data.count) bytes; \
                    ZooKeeper holds \(Self.maximumNodeSize) in one node.
                    """)
            }
            wanted[topic] = .some(data)
        }
        try await fulfil(.published(group: BindingName(group))) { state in
            for topic in state.published[BindingName(group), default: [:]].keys where wanted[topic] == nil {
                wanted[topic] = .some(nil)
            }
            state.published[BindingName(group)] = wanted
            // A removal that was wanted before is overtaken.
            for (topic, data) in wanted where data != nil { state.removals[BindingName(group)]?.remove(topic) }
        }
    }

    package func removeBindings(of group: String, from topics: [String]) async throws {
        try ZooKeeperPaths.check(group, "group")
        for topic in topics { try ZooKeeperPaths.check(topic, "topic") }
        let (group, topics) = (BindingName(group), topics.map { BindingName($0) })
        try await fulfil(.removal(group: group), removing: Set(topics)) { state in
            // What was published from here for the group is not to be published again.
            for topic in topics { state.published[group]?[topic] = nil }
        }
    }

    /// Below ZooKeeper's limit of one MiB for a whole packet.
    static let maximumNodeSize = 1_000_000

    package func announceProducer(group: String, topics: [String]) async throws {
        try ZooKeeperPaths.check(group, "group")
        for topic in topics { try ZooKeeperPaths.check(topic, "topic") }
        try await fulfil(.producer(group: BindingName(group))) {
            $0.producers[BindingName(group), default: .init(topics: [])].topics = topics
        }
    }

    /// Notes a wish and waits until it is fulfilled.
    private func fulfil(
        _ work: ZooKeeperRegistryState.Work, removing topics: Set<BindingName> = [],
        _ change: (inout ZooKeeperRegistryState) -> Void
    ) async throws {
        let id = Mutex<UInt64?>(nil)
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let isClosed = state.withLock { state in
                    if state.isRunning == false { return true }
                    change(&state)
                    let waiter = state.addWaiter(for: work, removing: topics, continuation)
                    id.withLock { $0 = waiter }
                    return false
                }
                if isClosed {
                    continuation.resume(throwing: RegistryError(.closed, "The registry is closed."))
                    return
                }
                signal.yield()
                // The handler below may have run before there was anything to find.
                if Task.isCancelled { cancelWaiter(id) }
            }
        } onCancel: {
            cancelWaiter(id)
        }
    }

    private func cancelWaiter(_ id: borrowing Mutex<UInt64?>) {
        guard let id = id.withLock({ $0 }), let waiter = state.withLock({ $0.takeWaiter(id) }) else { return }
        waiter.continuation.resume(throwing: CancellationError())
    }

    // MARK: - Followers

    package func snapshots(of topics: [String], lastKnown: [Binding]?) -> AsyncStream<BindingSnapshot> {
        let (stream, continuation) = AsyncStream<BindingSnapshot>.makeStream(bufferingPolicy: .bufferingNewest(1))
        var seen: Set<BindingName> = []
        let names = topics.map { BindingName($0) }.filter { seen.insert($0).inserted && canHold($0) }
        let id = state.withLock { state -> UInt64? in
            if state.isRunning == false { return nil }
            let id = state.bindingSubscriptions.add(names, continuation)
            for name in names {
                if state.topics[name] == nil { state.markDirty(.topic(name)) }
                state.topics[name, default: TopicBindings()].followers += 1
                state.topics[name]?.assume(lastKnown?.filter { BindingName($0.topic) == name })
            }
            state.refreshSubscriptions()
            return id
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = afterwards { [weak self] in self?.unfollowBindings(id) }
        signal.yield()
        return stream
    }

    /// A topic that ZooKeeper cannot hold has neither bindings nor brokers; registering it is refused.
    private func canHold(_ topic: BindingName) -> Bool {
        do {
            try ZooKeeperPaths.check(topic.text, "topic")
            return true
        } catch {
            logger.error("\(error) Nothing is looked for under it.")
            return false
        }
    }

    private func unfollowBindings(_ id: UInt64) {
        state.withLock { state in
            for name in state.bindingSubscriptions.remove(id) ?? [] {
                state.topics[name]?.followers -= 1
                if state.topics[name]?.followers == 0 { state.forget(topic: name) }
            }
        }
    }

    package func brokers(of topic: String) -> AsyncStream<[BrokerAddress]> {
        let (stream, continuation) = AsyncStream<[BrokerAddress]>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let name = BindingName(topic)
        let canHold = canHold(name)
        let id = state.withLock { state -> UInt64? in
            if state.isRunning == false || !canHold { return nil }
            if state.brokers[name] == nil {
                state.brokers[name] = TopicBrokers()
                state.markDirty(.brokers(topic: name))
            }
            let id = state.brokerSubscriptions.add(name, continuation)
            state.refreshSubscriptions()
            return id
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = afterwards { [weak self] in self?.unfollowBrokers(id) }
        signal.yield()
        return stream
    }

    private func unfollowBrokers(_ id: UInt64) {
        state.withLock { state in
            guard let name = state.brokerSubscriptions.remove(id), !state.brokerSubscriptions.keys.contains(name)
            else { return }
            state.forget(brokersOf: name)
        }
    }
}
