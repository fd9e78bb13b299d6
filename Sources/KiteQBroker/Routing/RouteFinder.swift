import DequeModule
import Dispatch
import KiteQCore
import Synchronization

/// Finds the routes that take long, one after the other on a thread of their own: nothing else waits for an expression, neither
/// leases nor acks. The groups that ask have their turns, so that one that asks much waits for itself.
final class RouteFinder: Sendable {
    private struct Job: Sendable {
        var isWanted: @Sendable () -> Bool
        /// Called once, with nil where it is not wanted: then it does nothing but say so.
        var run: @Sendable (Routing?) -> Void
    }

    private struct State {
        var jobs: [BindingName: Deque<Job>] = [:]
        var turns = Deque<BindingName>()
        var isWorking = false

        mutating func add(_ job: Job, for group: BindingName) {
            if jobs[group] == nil { turns.append(group) }
            jobs[group, default: []].append(job)
        }

        /// Nil, and nobody works, where there is nothing to do.
        mutating func next() -> Job? {
            guard let group = turns.popFirst(), let job = jobs[group]?.popFirst() else {
                isWorking = false
                return nil
            }
            if jobs[group]?.isEmpty == true { jobs[group] = nil } else { turns.append(group) }
            return job
        }
    }

    let routing: Routing
    private let state = Mutex(State())
    private let thread = DispatchQueue(label: "kiteq.routes")

    init(_ routing: Routing) { self.routing = routing }

    /// Finds the route of a message, and calls `then` with it on the finder's thread; with nil where the topic's bindings are not known,
    /// and where it was not wanted.
    /// - Parameters:
    ///   - group: who asks.
    ///   - isWanted: asked before it begins; who has left is not worked for.
    func find(
        topic: String, messageType: String, for group: String, isWanted: @escaping @Sendable () -> Bool = { true },
        then: @escaping @Sendable (Route?) -> Void
    ) {
        submit(
            Job(isWanted: isWanted) { routing in
                then(routing.flatMap { $0.route(topic: topic, messageType: messageType) })
            }, for: group)
    }

    /// The route of a message; nil where the topic's bindings are not known.
    func route(topic: String, messageType: String, for group: String) async -> Route? {
        switch routing.find(topic: topic, messageType: messageType) {
        case .route(let route): return route
        case .unknown: return nil
        case .dear: return await found(for: group) { $0.route(topic: topic, messageType: messageType) }
        }
    }

    /// Whatever may take long to find; nil where it was not wanted.
    func found<Result: Sendable>(
        for group: String, isWanted: @escaping @Sendable () -> Bool = { true },
        _ find: @escaping @Sendable (Routing) -> Result?
    ) async -> Result? {
        await withCheckedContinuation { continuation in
            submit(Job(isWanted: isWanted) { continuation.resume(returning: $0.flatMap(find)) }, for: group)
        }
    }

    private func submit(_ job: Job, for group: String) {
        let isToStart = state.withLock { state in
            state.add(job, for: BindingName(group))
            defer { state.isWorking = true }
            return !state.isWorking
        }
        if isToStart { thread.async { self.work() } }
    }

    private func work() {
        while let job = state.withLock({ $0.next() }) { job.run(job.isWanted() ? routing : nil) }
    }
}
