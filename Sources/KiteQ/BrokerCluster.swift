import KiteQCore
import KiteQRegistry
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// The connections to all brokers of some topics, as they come and go: one for each broker, made again when it is lost.
final class BrokerCluster: Sendable {
    private let configuration: KiteQConfiguration
    private let role: ClientRole
    private let tls: ClientTLS?
    let registry: any Registry
    private let topics: [String]
    private let eventLoops: any EventLoopGroup
    private let logger: Logger
    private let onEvent: @Sendable (ClientConnection, ClientEvent) -> Void
    private let state = Mutex(State())
    private let wanted: AsyncStream<BrokerAddress>
    private let wantedContinuation: AsyncStream<BrokerAddress>.Continuation

    private struct State {
        var brokers: [String: Set<BrokerAddress>] = [:]
        /// Those that were brokers of a topic once: a connection that one of them keeps open is still of use.
        var formerBrokers: [String: Set<BrokerAddress>] = [:]
        /// Brokers that a task keeps a connection to.
        var kept: Set<BrokerAddress> = []
        var open: [BrokerAddress: ClientConnection] = [:]
        var turn = 0
        var waiters: [Int: (topic: String, CheckedContinuation<ClientConnection?, Never>)] = [:]
        var nextWaiter = 0
        var isClosed = false
        var lastFailure: String?

        /// Whether it is still to be connected to; where it is not, whoever lists it next has to begin anew.
        mutating func keeps(_ address: BrokerAddress) -> Bool {
            if !isClosed && brokers.values.contains(where: { $0.contains(address) }) { return true }
            kept.remove(address)
            for topic in formerBrokers.keys { formerBrokers[topic]?.remove(address) }
            return false
        }

        /// An open connection to the preferred broker if it answers; else to a broker of the topic, in turn, one that hangs only where
        /// no other is; where there is none, to one that was.
        mutating func take(_ topic: String, preferring preferred: BrokerAddress?) -> ClientConnection? {
            if let preferred, let connection = open[preferred], connection.isOpen, !connection.isSuspect {
                return connection
            }
            let (listed, former) = (connections(to: brokers[topic]), connections(to: formerBrokers[topic]))
            return next(listed.filter { !$0.isSuspect }) ?? next(former.filter { !$0.isSuspect }) ?? next(listed)
                ?? next(former)
        }

        /// Callers that wait, and can be served by a connection that is open for the sake of another topic.
        mutating func serveWaiters(
            of topic: String
        ) -> [(CheckedContinuation<ClientConnection?, Never>, ClientConnection)] {
            var served: [(CheckedContinuation<ClientConnection?, Never>, ClientConnection)] = []
            for (id, waiter) in waiters where waiter.topic == topic {
                guard let connection = take(topic, preferring: nil) else { break }
                waiters[id] = nil
                served.append((waiter.1, connection))
            }
            return served
        }

        private func connections(to brokers: Set<BrokerAddress>?) -> [ClientConnection] {
            (brokers ?? []).sorted { ($0.host, $0.port) < ($1.host, $1.port) }.compactMap { open[$0] }.filter(\.isOpen)
        }

        private mutating func next(_ candidates: [ClientConnection]) -> ClientConnection? {
            guard !candidates.isEmpty else { return nil }
            turn &+= 1
            return candidates[turn % candidates.count]
        }
    }

    init(
        configuration: KiteQConfiguration, role: ClientRole, topics: [String], eventLoops: any EventLoopGroup,
        logger: Logger, onEvent: @escaping @Sendable (ClientConnection, ClientEvent) -> Void
    ) throws {
        self.configuration = configuration
        self.role = role
        tls = try configuration.tls.map { options throws(KiteQError) in try ClientTLS(options) }
        self.topics = topics
        self.eventLoops = eventLoops
        self.logger = logger
        self.onEvent = onEvent
        registry = try Self.makeRegistry(configuration, topics: topics, logger: logger)
        (wanted, wantedContinuation) = AsyncStream.makeStream()
    }

    private static func makeRegistry(
        _ configuration: KiteQConfiguration, topics: [String], logger: Logger
    ) throws -> any Registry {
        do {
            switch configuration.discovery {
            case .brokers(let addresses):
                let parsed = try addresses.map { text in
                    guard let address = BrokerAddress(text) else {
                        throw KiteQError(.invalid, "\(text) is no broker's address, as in broker.example:13800")
                    }
                    return address
                }
                guard !parsed.isEmpty else { throw KiteQError(.invalid, "no broker is named") }
                if configuration.tls == nil, let first = parsed.first(where: { !configuration.mayBeShownSecret($0) }) {
                    throw KiteQError(.invalid, configuration.plainTextRefusal(first))
                }
                return StaticRegistry(
                    brokers: Dictionary(parsed.map { ($0, topics) }, uniquingKeysWith: { first, _ in first }))
            case .zooKeeper(let hosts):
                return try RegistryConfiguration(url: "zk://\(hosts)", configuration.zooKeeperCredentials)
                    .makeRegistry(logger: logger)
            case .file(let path):
                return try RegistryConfiguration(url: "file://\(path)").makeRegistry(logger: logger)
            }
        } catch let error as RegistryError {
            throw KiteQError.registry(error)
        }
    }

    // MARK: Running

    /// Keeps the connections until its task is cancelled, then closes them.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                do {
                    try await self.registry.run()
                } catch let error as RegistryError {
                    throw KiteQError.registry(error)
                }
            }
            for topic in topics {
                tasks.addTask {
                    for await brokers in self.registry.brokers(of: topic) { self.update(topic, brokers) }
                }
            }
            defer { tasks.cancelAll() }
            for await address in wanted { tasks.addTask { await self.keep(address) } }
            try Task.checkCancellation()
        }
    }

    /// Ends all connections and callers that wait for one.
    func close() {
        let (open, waiters) = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [:] }
            return (state.open.values.map { $0 }, state.waiters.values.map(\.1))
        }
        for connection in open { connection.close() }
        for waiter in waiters { waiter.resume(returning: nil) }
        wantedContinuation.finish()
    }

    /// A broker that left the registry keeps its connection until it closes it itself: it may be stopping, and wait for what
    /// is in flight, or only have lost its session.
    private func update(_ topic: String, _ brokers: [BrokerAddress]) {
        let (new, served) = state.withLock { state in
            let listed = Set(brokers)
            state.formerBrokers[topic, default: []].formUnion(state.brokers[topic] ?? [])
            state.formerBrokers[topic]?.subtract(listed)
            state.brokers[topic] = listed
            let new = state.isClosed ? [] : brokers.filter { state.kept.insert($0).inserted }
            return (new, state.serveWaiters(of: topic))
        }
        for address in new { wantedContinuation.yield(address) }
        for (waiter, connection) in served { waiter.resume(returning: connection) }
    }

    /// Keeps one connection to a broker, and makes it anew as long as the registry lists it.
    private func keep(_ address: BrokerAddress) async {
        var backoff = ReconnectBackoff(shortest: configuration.minBackoff, longest: configuration.maxBackoff)
        while state.withLock({ $0.keeps(address) }), !Task.isCancelled {
            do {
                let connection = try await ClientConnection.connect(
                    to: address, as: role, configuration: configuration, tls: tls, on: eventLoops, logger: logger,
                    onEvent: onEvent)
                let letIn = ContinuousClock.now
                opened(connection)
                await connection.closed()
                state.withLock { $0.open[address] = nil }
                backoff.ended(after: .now - letIn)
                logger.info("lost the connection to \(address)")
            } catch {
                if backoff.failures == 0 { logger.warning("cannot connect to \(address): \(error)") }
                state.withLock { $0.lastFailure = "\(address): \(error)" }
                backoff.failed()
            }
            do {
                // Clients that lost the same broker do not all come back at once.
                try await Task.sleep(for: backoff.wait * Double.random(in: 0.5...1))
            } catch {
                break  // The client stops.
            }
        }
    }

    private func opened(_ connection: ClientConnection) {
        let served = state.withLock { state in
            state.open[connection.address] = connection
            let served = state.waiters.filter { state.brokers[$0.value.topic]?.contains(connection.address) == true }
            for id in served.keys { state.waiters[id] = nil }
            return served.values.map(\.1)
        }
        logger.info("connected to \(connection.address)")
        for waiter in served { waiter.resume(returning: connection) }
    }

    // MARK: Using

    /// A connection to a broker of the topic, the preferred one if it is connected and answers; waits for one until the timeout.
    func connection(
        for topic: String, preferring preferred: BrokerAddress? = nil, timeout: Duration
    ) async throws -> ClientConnection {
        guard topics.contains(topic) else {
            throw KiteQError(.invalid, "the client was not told of topic \(topic) when it was made")
        }
        if let connection = state.withLock({ $0.isClosed ? nil : $0.take(topic, preferring: preferred) }) {
            return connection
        }
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let late = eventLoops.next().scheduleTask(in: .nanoseconds(timeout.wholeNanoseconds)) { self.giveUp(id) }
        defer { late.cancel() }
        let connection = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now = state.withLock { state -> (isDecided: Bool, ClientConnection?) in
                    if state.isClosed || Task.isCancelled { return (true, nil) }
                    if let connection = state.take(topic, preferring: preferred) { return (true, connection) }
                    state.waiters[id] = (topic, continuation)
                    return (false, nil)
                }
                if now.isDecided { continuation.resume(returning: now.1) }
            }
        } onCancel: {
            giveUp(id)
        }
        if let connection { return connection }
        try Task.checkCancellation()
        let (isClosed, failure) = state.withLock { ($0.isClosed, $0.lastFailure) }
        if isClosed { throw KiteQError(.closed, "the client is stopped") }
        throw KiteQError(
            .notConnected,
            "no broker of topic \(topic) could be reached within \(timeout)\(failure.map { " (\($0))" } ?? ""); nothing was sent"
        )
    }

    private func giveUp(_ id: Int) {
        state.withLock { $0.waiters.removeValue(forKey: id) }?.1.resume(returning: nil)
    }
}
