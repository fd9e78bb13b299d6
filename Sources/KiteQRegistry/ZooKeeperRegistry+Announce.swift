import CZooKeeper
import KiteQCore
import Logging
import Synchronization

extension ZooKeeperRegistry {
    /// Makes the nodes of the announcement that is wanted, and takes away those that no longer are.
    func announce(_ client: ZooKeeperClient) async throws(ZooKeeperError) {
        let (announcement, takesOver, held) = state.withLock { ($0.announcement, $0.takesOver, $0.held) }
        var wanted: [String] = []
        // Of a node that is somebody else's: the others are made all the same.
        var refusal: ZooKeeperError?
        if let announcement {
            let broker = announcement.broker.description
            // Clients come as soon as the broker is in its topic's list, so that is last.
            wanted.append("\(paths.aliveServers)/\(broker)")
            wanted += announcement.topics.map { "\(paths.server($0))/\(broker)" }
            var needed = ["\(paths.allServers)/\(broker)"]
            for topic in announcement.topics { needed += [paths.producers(topic), paths.bindings(topic)] }
            for path in needed {
                do { try await ensure(path, client) } catch  where error.isPermanent { refusal = refusal ?? error }
            }
        }
        let names = Set(wanted.map { BindingName($0) })
        // Noted before they are made: what is made and not noted would stay.
        state.withLock { $0.held.formUnion(names) }
        for path in held.subtracting(names) { try await release(path, client) }
        for path in wanted {
            watch(path, for: .announcement)
            do {
                try await claim(path, takesOver: takesOver, rivals: .warning, client)
            } catch  where error.isPermanent {
                refusal = refusal ?? error
            }
        }
        state.withLock { state in
            state.held.formIntersection(names)
            // Unless another call came meanwhile, which is dirty now and wants it for itself.
            if !state.dirty.contains(.announcement) { state.takesOver = false }
        }
        if let refusal { throw refusal }
    }

    /// Ends a group's bindings in its place.
    ///
    /// A node that is there is deleted: whoever saw it sees it go. Where there is none the bindings are remembered, since
    /// nobody was seen to delete them (``TopicBindings``): then a node says that there are none. Of a topic that nobody serves nobody
    /// remembers any.
    func remove(_ group: BindingName, _ client: ZooKeeperClient) async throws(ZooKeeperError) {
        for topic in state.withLock({ $0.removals[group] ?? [] }) {
            // Unless whoever asked for it has given up meanwhile.
            guard state.withLock({ $0.removals[group]?.contains(topic) == true }) else { continue }
            let path = paths.binding(of: group.text, to: topic.text)
            if try await client.exists(path, watch: false) != nil {
                try await client.delete(path)
                try await removeIfEmpty(topic, client)
            } else if try await isServed(topic, client) {
                try await ensure(ZooKeeperPaths.parent(of: path), client)
                if try await !client.create(path, data: Array("[]".utf8)) { try await client.delete(path) }
            }
            state.withLock { state in
                state.removals[group]?.remove(topic)
                if state.removals[group]?.isEmpty == true { state.removals[group] = nil }
            }
        }
    }

    /// Writes a consumer group's bindings where they differ from what is there.
    func publish(_ group: BindingName, _ client: ZooKeeperClient) async throws(ZooKeeperError) {
        let wanted = state.withLock { $0.published[group] ?? [:] }
        for (topic, data) in wanted {
            let path = paths.binding(of: group.text, to: topic.text)
            guard let data else {
                try await client.delete(path)
                try await removeIfEmpty(topic, client)
                state.withLock { state in
                    if state.published[group]?[topic] == .some(nil) { state.published[group]?[topic] = nil }
                }
                continue
            }
            try await ensure(ZooKeeperPaths.parent(of: path), client)
            if let node = try await client.get(path, watch: false) {
                if node.data != data { _ = try await client.set(path, data: data) }
            } else if try await !client.create(path, data: data) {
                _ = try await client.set(path, data: data)
            }
        }
    }

    /// Takes a topic's node away that has no bindings any more, unless brokers serve the topic, or did: they watch it, and tell a
    /// group that has ended from data that is lost by its staying. One that somebody binds himself under at this moment stays.
    private func removeIfEmpty(_ topic: BindingName, _ client: ZooKeeperClient) async throws(ZooKeeperError) {
        guard try await !isServed(topic, client) else { return }
        do {
            try await client.delete(paths.bindings(topic.text))
        } catch  where error.isAnswer {
            logger.debug("\(error); it stays.")
        }
    }

    /// Whether a broker serves the topic, here or elsewhere, or ever did.
    private func isServed(_ topic: BindingName, _ client: ZooKeeperClient) async throws(ZooKeeperError) -> Bool {
        if state.withLock({ $0.topics[topic] != nil }) { return true }
        return try await client.exists(paths.server(topic.text), watch: false) != nil
    }

    func announceProducer(_ group: BindingName, _ client: ZooKeeperClient) async throws(ZooKeeperError) {
        guard let producer = state.withLock({ $0.producers[group] }) else { return }
        let wanted = producer.topics.map {
            "\(paths.producers($0))/\(group.text)/\(configuration.hostname)"
        }
        let names = Set(wanted.map { BindingName($0) })
        state.withLock { $0.producers[group]?.held.formUnion(names) }
        for path in producer.held.subtracting(names) { try await release(path, client) }
        for path in wanted {
            watch(path, for: .producer(group: group))
            // Another process of this machine may have the entry: it says the same.
            try await claim(path, takesOver: false, rivals: .debug, client)
        }
        state.withLock { $0.producers[group]?.held.formIntersection(names) }
    }

    /// Makes an ephemeral node of this session, and watches it so that it is made again if it goes.
    ///
    /// One that exists is of this session (the answer to an earlier attempt was lost), of one's own former session that
    /// the servers have not yet given up, or of another process. The last two look alike; where `takesOver` is set
    /// the node is replaced, since a former session's would vanish later without a word.
    /// - Parameter rivals: How loud to say that the node is left to another process.
    private func claim(
        _ path: String, takesOver: Bool, rivals: Logger.Level, _ client: ZooKeeperClient
    ) async throws(ZooKeeperError) {
        for _ in 1...5 {
            try await ensure(ZooKeeperPaths.parent(of: path), client)
            _ = try await client.create(path, ephemeral: true)
            guard let stat = try await client.exists(path, watch: true) else { continue }
            if stat.ephemeralOwner == client.sessionID { return }
            guard takesOver else {
                logger.log(
                    level: rivals, "\(path) belongs to another process; it is announced from here when that one goes.")
                return
            }
            logger.info("\(path) is left from another session and is replaced.")
            do {
                try await client.delete(path, version: stat.version)
            } catch  where error.code == ZBADVERSION.rawValue {
                continue
            }
        }
        throw ZooKeeperError(ZNODEEXISTS.rawValue, "create \(path)")
    }

    /// Takes an ephemeral node away, if it is this session's.
    private func release(_ path: BindingName, _ client: ZooKeeperClient) async throws(ZooKeeperError) {
        state.withLock { $0.watchers[path] = nil }
        guard let stat = try await client.exists(path.text, watch: false), stat.ephemeralOwner == client.sessionID
        else { return }
        try await client.delete(path.text, version: stat.version)
    }

    /// Makes a persistent node, and those above it, where they are missing.
    ///
    /// Looks first: whoever may not create anything may still use what is there.
    func ensure(_ path: String, _ client: ZooKeeperClient) async throws(ZooKeeperError) {
        if path == "/" { return }
        if try await client.exists(path, watch: false) != nil { return }
        try await ensure(ZooKeeperPaths.parent(of: path), client)
        _ = try await client.create(path)
    }
}
