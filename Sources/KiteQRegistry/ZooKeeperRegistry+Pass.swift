import CZooKeeper
import KiteQCore
import Logging
import Synchronization

extension ZooKeeperRegistry {
    private typealias Work = ZooKeeperRegistryState.Work

    /// Calls under way at once: enough to hide the way to the server, few enough for its queue.
    private static let concurrency = 64
    /// Rounds before followers hear of what there is, though there is still more to look at.
    private static let maximumRounds = 5

    /// Looks at all there is to look at, then tells the followers; false where something is to be tried again.
    func pass(_ client: ZooKeeperClient) async -> Bool {
        if state.withLock({ $0.canSettle }) {
            do { try await Task.sleep(for: configuration.settleTime) } catch { return true }
        }
        var isClean = true
        for round in 1...Self.maximumRounds {
            let batch = state.withLock { $0.takeDirty() }
            if batch.isEmpty { break }
            if round == Self.maximumRounds { signal.yield() }
            await withTaskGroup(of: Bool.self) { group in
                for (index, item) in batch.enumerated() {
                    if index >= Self.concurrency, await group.next() == false { isClean = false }
                    group.addTask { await self.see(to: item.work, version: item.version, client) }
                }
                for await isDone in group where !isDone { isClean = false }
            }
        }
        state.withLock { $0.refreshSubscriptions() }
        return isClean
    }

    private func see(to work: Work, version: Int, _ client: ZooKeeperClient) async -> Bool {
        do {
            try await perform(work, client)
            let (waiters, hadFailed) = state.withLock { state in
                (state.takeWaiters(for: work, version: version), state.settle(work))
            }
            if hadFailed { sayThatItIsBack(work) }
            for waiter in waiters { waiter.continuation.resume() }
            return true
        } catch {
            let (waiters, isNews) = state.withLock { state in
                let isNews = state.postpone(work)
                state.note(error, about: work)
                return (error.isPermanent ? state.takeWaiters(for: work, version: version) : [], isNews)
            }
            if case .node(let topic, let node) = work {
                leaveOut(topic, node, error)
            } else if error.isPermanent, isNews {
                logger.error("\(error.asRegistryError)")
            } else {
                logger.debug("\(error); trying again")
            }
            for waiter in waiters { waiter.continuation.resume(throwing: error.asRegistryError) }
            return false
        }
    }

    /// A node that cannot be read holds up neither its topic nor the others.
    private func leaveOut(_ topic: BindingName, _ node: BindingName, _ error: ZooKeeperError) {
        guard error.isAnswer else {
            logger.debug("\(error); trying again")
            return
        }
        let isNews = state.withLock {
            $0.topics[topic]?.refuse(node, error.reason, isLasting: error.isPermanent) ?? false
        }
        if isNews {
            warnOfNode("\(error); \(TopicBindings.consequence), and it is tried again.")
        } else {
            logger.debug("\(error); trying again")
        }
    }

    private func sayThatItIsBack(_ work: Work) {
        guard case .node(let topic, let node) = work else { return }
        logger.info("\(paths.bindings(topic.text))/\(node.text) can be read again.")
    }

    /// There may be thousands of them.
    private func warnOfNode(_ line: String) {
        guard let suppressed = nodeLines.withLock({ $0.admit(now: .now) }) else { return }
        logger.warning("\(line)", metadata: suppressed > 0 ? ["suppressed": "\(suppressed)"] : nil)
    }

    private func perform(_ work: Work, _ client: ZooKeeperClient) async throws(ZooKeeperError) {
        switch work {
        case .announcement: try await announce(client)
        case .published(let group): try await publish(group, client)
        case .producer(let group): try await announceProducer(group, client)
        case .removal(let group): try await remove(group, client)
        case .topic(let topic): try await list(topic, client)
        case .node(let topic, let node): try await read(topic, node, client)
        case .brokers(let topic): try await listBrokers(topic, client)
        }
    }

    // MARK: - Following

    private func list(_ topic: BindingName, _ client: ZooKeeperClient) async throws(ZooKeeperError) {
        guard state.withLock({ $0.topics[topic] != nil }) else { return }  // Nobody follows it any more.
        let path = paths.bindings(topic.text)
        try await ensure(path, client)
        watch(path, for: .topic(topic))
        guard let listing = try await client.list(path, watch: true) else {
            throw ZooKeeperError(ZNONODE.rawValue, "list \(path)")  // Deleted that moment: to be made again.
        }
        let lost = state.withLock { state in
            let names = listing.children.map { BindingName($0) }
            let listed = state.topics[topic]?.list(names, Sighting(parent: listing.stat))
            for node in listed?.unread ?? [] { state.markDirty(.node(topic: topic, node: node)) }
            return listed?.lost ?? []
        }
        if !lost.isEmpty {
            logger.warning(
                """
                \(path) has no node of \(Self.list(lost.map(\.text), of: "group")), and nobody was seen to delete it: the \
                bindings last known stay in force. To end them, let the node GROUP-bind hold [].
                """)
        }
    }

    private func read(
        _ topic: BindingName, _ node: BindingName, _ client: ZooKeeperClient
    ) async throws(ZooKeeperError) {
        guard state.withLock({ $0.topics[topic] != nil }) else { return }
        let path = "\(paths.bindings(topic.text))/\(node.text)"
        watch(path, for: .node(topic: topic, node: node))
        guard let content = try await client.get(path, watch: true) else {
            state.withLock { state in
                state.watchers[BindingName(path)] = nil
                // Only the topic node can tell whether it was deleted.
                if state.topics[topic]?.miss(node) == true { state.markDirty(.topic(topic)) }
            }
            return
        }
        let problems = state.withLock {
            $0.topics[topic]?.read(node, data: content.data, topic: topic) ?? []
        }
        for problem in problems { warnOfNode("\(path): \(problem)") }
    }

    private func listBrokers(_ topic: BindingName, _ client: ZooKeeperClient) async throws(ZooKeeperError) {
        guard state.withLock({ $0.brokers[topic] != nil }) else { return }
        let path = paths.server(topic.text)
        watch(path, for: .brokers(topic: topic))
        var listing = try await client.list(path, watch: true)
        // Where no broker ever served the topic there is nothing to list: watch for the first.
        if listing == nil, try await client.exists(path, watch: true) != nil {
            listing = try await client.list(path, watch: true)
        }
        let children = listing?.children ?? []
        let brokers = children.compactMap { BrokerAddress($0) }
        if brokers.count < children.count {
            logger.warning("\(path): what is no HOST:PORT is left out: \(children)")
        }
        let lost = state.withLock { state in
            state.brokers[topic]?.list(brokers, listing.map { Sighting(parent: $0.stat) }) ?? []
        }
        if !lost.isEmpty {
            logger.warning(
                """
                \(path) has no node of \(Self.list(lost.map(\.description), of: "broker")), and nobody was seen to delete it: \
                taken for serving still.
                """)
        }
    }

    /// "the groups a, b and 3 more"
    static func list(_ names: [String], of what: String) -> String {
        let shown = names.prefix(10).joined(separator: ", ")
        let rest = names.count > 10 ? " and \(names.count - 10) more" : ""
        return "the \(what)\(names.count == 1 ? "" : "s") \(shown)\(rest)"
    }

    /// Before the call that sets the watch: its event may come before that call's answer is looked at.
    func watch(_ path: String, for work: ZooKeeperRegistryState.Work) {
        state.withLock { $0.watchers[BindingName(path)] = work }
    }
}
