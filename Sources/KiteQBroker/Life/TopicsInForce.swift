import KiteQCore
import Logging
import Synchronization

/// Which topics are served, and by which bindings: what follows from the settings that are wanted and from what is known of the
/// bindings, whenever either changes.
final class TopicsInForce: Sendable {
    private struct State {
        var wanted: SessionSettings
        var bindings: [Binding] = []
        /// The topics that these are all bindings of.
        var known: Set<String> = []
        var objections: Set<Binding> = []
        /// What is in force.
        var table = BindingTable.empty

        /// Bindings of groups that may not subscribe to their topics, which anybody can put into the registry, count for nothing.
        mutating func permitted() -> (bindings: [Binding], newObjections: Set<Binding>) {
            let access = wanted.access
            let refused = Set(bindings.filter { !access.maySubscribe($0.group, to: $0.topic) })
            defer { objections = refused }
            return (bindings.filter { !refused.contains($0) }, refused.subtracting(objections))
        }
    }

    private let state: Mutex<State>
    private let routing: Routing
    private let dispatcher: Dispatcher
    private let services: SessionServices
    private let log: BindingLog
    private let bindingsChanged = Wakeup()
    /// The topics that are served, whenever they change: those whose bindings are known.
    let changes: AsyncStream<Set<String>>
    private let changesContinuation: AsyncStream<Set<String>>.Continuation

    init(
        wanted: SessionSettings, routing: Routing, dispatcher: Dispatcher, services: SessionServices, logger: Logger
    ) {
        state = Mutex(State(wanted: wanted))
        self.routing = routing
        self.dispatcher = dispatcher
        self.services = services
        log = BindingLog(logger: logger)
        (changes, changesContinuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Other settings are wanted; false if they are the same. A topic that is new is served once its bindings are known: a
    /// message that nobody seems to be bound to would be gone.
    func want(_ settings: SessionSettings) -> Bool {
        let isNew = state.withLock { state in
            defer { state.wanted = settings }
            return state.wanted !== settings
        }
        if isNew { reconsider() }
        return isNew
    }

    /// The bindings of these topics as they are now.
    func apply(_ bindings: [Binding], of topics: Set<String>) {
        state.withLock { state in
            state.bindings = bindings
            state.known = topics
        }
        reconsider()
        bindingsChanged.signal()
    }

    /// Whether the bindings of any topic are known.
    var areKnown: Bool { routing.isKnown }

    /// Waits until they are. One task at a time may wait.
    /// - Throws: `CancellationError`.
    func waitUntilKnown() async throws {
        for await _ in bindingsChanged.signals where areKnown { return }
        try Task.checkCancellation()
    }

    /// There will be no more changes to announce.
    func finish() { changesContinuation.finish() }

    /// Puts in force what follows from settings and bindings. Of several at once each sees all that came before it.
    private func reconsider() {
        let (table, objections, rejected, served) = state.withLock { state in
            let (bindings, objections) = state.permitted()
            let table = BindingTable(bindings, after: state.table)
            let rejected = table.newlyRejected(since: state.table)
            state.table = table
            let served = state.wanted.serving(state.wanted.topics.intersection(state.known))
            // Routes first: nothing of a new topic is taken before there are any.
            routing.set(table, of: state.known, access: state.wanted.access)
            services.apply(served)
            // A group's rate is that of its fastest binding.
            dispatcher.setWatermarks(
                Dictionary(table.bindings.map { ($0.group, $0.watermark) }, uniquingKeysWith: { max($0, $1) }))
            changesContinuation.yield(served.topics)
            return (table, objections, rejected, served)
        }
        log.ignore(objections)
        log.reject(rejected)
        log.inForce(table.bindings.count, topics: served.topics.count)
    }
}
