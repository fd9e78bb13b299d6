import KiteQCore

/// What a ``ZooKeeperRegistry`` wants of ZooKeeper, what it has learned, and what is to be done about the difference.
///
/// A value under the registry's lock. Everything is driven by ``dirty``: a wish, an event and a new session only say
/// what is to be looked at again; looking again is always right and never harmful, so nothing depends on the order of
/// events, or on none being lost with a session.
struct ZooKeeperRegistryState {
    typealias Name = BindingName

    /// One thing to look at.
    enum Work: Hashable {
        case announcement
        /// A consumer group's own bindings.
        case published(group: Name)
        case producer(group: Name)
        /// Another group's bindings, that are to end.
        case removal(group: Name)
        /// Which binding nodes a topic has.
        case topic(Name)
        case node(topic: Name, node: Name)
        case brokers(topic: Name)
    }

    enum Session: Equatable {
        case absent
        case connected
        case disconnected
        /// The handle is dead: expired or refused.
        case dead(reason: String)
    }

    struct Announcement {
        var broker: BrokerAddress
        var topics: [String]
    }

    struct Producer {
        var topics: [String]
        var held: Set<Name> = []
    }

    struct Waiter {
        var work: Work
        var version: Int
        /// Of a removal: from which topics.
        var topics: Set<Name> = []
        var continuation: CheckedContinuation<Void, any Error>
    }

    /// Nil before `run()`, false after it.
    var isRunning: Bool?
    var session = Session.absent
    var client: ZooKeeperClient?

    private(set) var dirty: Set<Work> = []
    /// What failed and waits for the next attempt.
    private var postponed: Set<Work> = []
    private var isRetryComing = false
    /// What has failed since it last went well, so that it is logged once.
    private var failing: Set<Work> = []
    /// Whom an event of a path concerns.
    var watchers: [Name: Work] = [:]

    var announcement: Announcement?
    /// Ephemeral nodes of this session that the announcement made, or was about to.
    var held: Set<Name> = []
    /// Whether the next announcement takes nodes from whoever has them. True once for each call and each new session;
    /// not when a node merely vanished, or two brokers with one address would snatch it from each other for ever.
    var takesOver = false
    /// For each group and topic what the node is to hold; nil: no node.
    var published: [Name: [Name: [UInt8]?]] = [:]
    var producers: [Name: Producer] = [:]
    /// The topics that a group's bindings are to be taken from: wished for as long as somebody waits for it. Done later it would
    /// undo what the group has bound meanwhile.
    var removals: [Name: Set<Name>] = [:]

    /// Why the servers refuse the credentials, or what was announced; nil while they do not.
    var refusal: (what: Work?, reason: String)?

    var topics: [Name: TopicBindings] = [:]
    var brokers: [Name: TopicBrokers] = [:]

    var bindingSubscriptions = SnapshotSubscriptions<[Name], BindingSnapshot>()
    var brokerSubscriptions = SnapshotSubscriptions<Name, [BrokerAddress]>()

    private var versions: [Work: Int] = [:]
    private var waiters: [UInt64: Waiter] = [:]
    private var nextWaiter: UInt64 = 0

    // MARK: - Sessions

    /// Forgets what only the old session's watches and ephemeral nodes gave; what was learned stays.
    mutating func beginSession() {
        session = .disconnected
        watchers.removeAll()
        held.removeAll()
        postponed.removeAll()
        isRetryComing = false
        for group in producers.keys { producers[group]?.held.removeAll() }
        for topic in topics.keys { topics[topic]?.forgetWatches() }
        dirty = Set(topics.keys.map { .topic($0) })
        dirty.formUnion(brokers.keys.map { .brokers(topic: $0) })
        dirty.formUnion(published.keys.map { .published(group: $0) })
        dirty.formUnion(producers.keys.map { .producer(group: $0) })
        dirty.formUnion(removals.keys.map { .removal(group: $0) })
        takesOver = announcement != nil
        // Also without an announcement: somebody may wait for it to be gone.
        dirty.insert(.announcement)
    }

    /// Returns whether there is anything to see to.
    mutating func receive(_ event: ZooKeeperClient.Event) -> Bool {
        // A handle that was too slow to be closed may still speak when all is over.
        if isRunning == false { return false }
        switch event {
        case .connected:
            session = .connected
            if refusal?.what == nil { refusal = nil }
        case .disconnected: session = .disconnected
        case .expired: session = .dead(reason: "the session expired")
        case .refused:
            session = .dead(reason: "the servers refuse the user and password")
            refusal = (nil, "ZooKeeper's servers refuse the user and password")
        case .changed(let path):
            guard let work = watchers[Name(path)] else { return false }
            dirty.insert(work)
        }
        return true
    }

    // MARK: - Work

    /// All that is to be looked at now, each with the version of the wish that looking will fulfil.
    mutating func takeDirty() -> [(work: Work, version: Int)] {
        defer { dirty.removeAll() }
        return dirty.map { ($0, versions[$0, default: 0]) }
    }

    mutating func markDirty(_ work: Work) { dirty.insert(work) }

    /// Whether all that is dirty are changes of what followers already know: only then is there time to gather more.
    var canSettle: Bool {
        dirty.allSatisfy {
            switch $0 {
            case .topic(let topic): topics[topic]?.isKnown ?? true
            case .node(let topic, _): topics[topic]?.isKnown ?? true
            case .brokers(let topic): brokers[topic]?.isKnown ?? true
            case .announcement, .published, .producer, .removal: false
            }
        }
    }

    /// Returns whether it is the first failure since it last went well.
    mutating func postpone(_ work: Work) -> Bool {
        postponed.insert(work)
        return failing.insert(work).inserted
    }

    /// What cannot be had however often it is tried is kept for people to see.
    mutating func note(_ error: ZooKeeperError, about work: Work) {
        guard error.isPermanent else { return }
        switch work {
        case .topic(let topic): topics[topic]?.refuse(error.reason)
        case .announcement: refusal = (work, "ZooKeeper refuses to \(error.operation), \(error.reason)")
        default: break
        }
    }

    /// Returns whether it had failed before.
    mutating func settle(_ work: Work) -> Bool {
        if refusal?.what == work { refusal = nil }
        return failing.remove(work) != nil
    }

    /// Whether somebody is to call ``resumePostponed()`` after a pause: true once, until it was called.
    mutating func needsRetry() -> Bool {
        defer { isRetryComing = true }
        return !isRetryComing
    }

    mutating func resumePostponed() {
        isRetryComing = false
        dirty.formUnion(postponed)
        postponed.removeAll()
    }

    // MARK: - Waiting

    /// Notes a wish that changed, and who waits for it.
    mutating func addWaiter(
        for work: Work, removing topics: Set<Name> = [], _ continuation: CheckedContinuation<Void, any Error>
    ) -> UInt64 {
        if case .removal(let group) = work { removals[group, default: []].formUnion(topics) }
        versions[work, default: 0] += 1
        dirty.insert(work)
        nextWaiter += 1
        waiters[nextWaiter] = Waiter(
            work: work, version: versions[work, default: 0], topics: topics, continuation: continuation)
        return nextWaiter
    }

    mutating func takeWaiter(_ id: UInt64) -> Waiter? {
        guard let waiter = waiters.removeValue(forKey: id) else { return nil }
        dropUnwanted(waiter.work)
        return waiter
    }

    /// Those who waited for this version of the wish, or an older one.
    mutating func takeWaiters(for work: Work, version: Int) -> [Waiter] {
        let ids = waiters.filter { $0.value.work == work && $0.value.version <= version }.keys.sorted()
        defer { dropUnwanted(work) }
        return ids.compactMap { waiters.removeValue(forKey: $0) }
    }

    /// Removals that nobody waits for any more.
    private mutating func dropUnwanted(_ work: Work) {
        guard case .removal(let group) = work, let topics = removals[group] else { return }
        let wanted = waiters.values.filter { $0.work == work }.reduce(into: Set<Name>()) { $0.formUnion($1.topics) }
        let left = topics.intersection(wanted)
        removals[group] = left.isEmpty ? nil : left
    }

    mutating func takeAllWaiters() -> [Waiter] {
        defer { waiters.removeAll() }
        return Array(waiters.values)
    }

    // MARK: - Followers gone

    /// The watches stay on the server until they fire; nobody listens then.
    mutating func forget(topic: Name) {
        topics[topic] = nil
        watchers = watchers.filter {
            switch $0.value {
            case .topic(topic), .node(topic: topic, _): false
            default: true
            }
        }
    }

    mutating func forget(brokersOf topic: Name) {
        brokers[topic] = nil
        watchers = watchers.filter { $0.value != .brokers(topic: topic) }
    }

    // MARK: - Snapshots

    mutating func refreshSubscriptions() {
        let topics = topics
        bindingSubscriptions.refresh { names in
            var snapshot = BindingSnapshot([])
            for name in names {
                guard let topic = topics[name] else { return nil }
                if topic.isHidden {
                    snapshot.hidden.insert(name)
                } else if topic.isKnown {
                    snapshot.bindings += topic.bindings
                } else {
                    return nil
                }
            }
            return snapshot
        }
        let brokers = brokers
        brokerSubscriptions.refresh { name in
            guard let topic = brokers[name], topic.isKnown else { return nil }
            return topic.brokers
        }
    }
}
