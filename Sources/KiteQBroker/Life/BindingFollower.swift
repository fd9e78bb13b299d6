import KiteQCore
import Logging
import Synchronization

/// Learns the bindings of all topics that are wanted: from the registry, and until it answers those that the store has as last
/// known.
final class BindingFollower: Sendable {
    private struct State {
        /// All topics that were ever wanted: half messages of one that is served no more still find their groups.
        var topics: Set<String> = []
        var changed = Wakeup()
    }

    private let store: any BindingStore
    private let registry: any Registry
    private let clock: any ProcessClock
    private let logger: Logger
    private let state = Mutex(State())

    init(store: any BindingStore, registry: any Registry, clock: any ProcessClock, logger: Logger) {
        self.store = store
        self.registry = registry
        self.clock = clock
        self.logger = logger
    }

    /// These, too, from now on.
    func follow(_ topics: Set<String>) {
        let changed = state.withLock { state in
            let isNew = !topics.isSubset(of: state.topics)
            state.topics.formUnion(topics)
            return isNew ? state.changed : nil
        }
        changed?.signal()
    }

    /// Puts in force what it learns, and saves it, until its task is cancelled or the registry has ended.
    func run(_ topicsInForce: TopicsInForce) async {
        await withTaskGroup(of: Void.self) { tasks in
            let saver = BindingSaver(store: store, clock: clock, logger: logger)
            tasks.addTask { await saver.run() }
            tasks.addTask { await self.followAll(topicsInForce, saver) }
            await tasks.waitForAll()
        }
    }

    /// Anew whenever there are other topics.
    private func followAll(_ topicsInForce: TopicsInForce, _ saver: BindingSaver) async {
        while !Task.isCancelled {
            let (topics, changed) = state.withLock { state in
                state.changed = Wakeup()
                return (state.topics, state.changed)
            }
            await withTaskGroup(of: Void.self) { tasks in
                tasks.addTask { await self.follow(topics, topicsInForce, saver) }
                tasks.addTask { for await _ in changed.signals { return } }
                await tasks.next()
                tasks.cancelAll()
            }
            // The registry's streams end with it.
            if state.withLock({ $0.topics }) == topics { return }
        }
    }

    private func follow(_ topics: Set<String>, _ topicsInForce: TopicsInForce, _ saver: BindingSaver) async {
        guard let saved = await savedBindings(of: topics, topicsInForce) else { return }
        let lastKnown = saved.sorted { $0.key < $1.key }.flatMap(\.value)
        if !saved.isEmpty, !registry.isConnected, !topicsInForce.areKnown {
            logger.info(
                "\(lastKnown.count) bindings of \(saved.count) topics as last known stand in until the registry answers"
            )
            // Of a topic that was never saved nothing is known, not that nobody is bound to it.
            topicsInForce.apply(lastKnown, of: Set(saved.keys))
        }
        await apply(
            registry.snapshots(of: topics.sorted(), lastKnown: lastKnown), of: topics, topicsInForce, saver)
    }

    /// - Parameter saver: nil while what was saved before could not be read: what it has and the registry has not would be lost.
    private func apply(
        _ snapshots: AsyncStream<BindingSnapshot>, of topics: Set<String>, _ topicsInForce: TopicsInForce,
        _ saver: BindingSaver?
    ) async {
        var known: BindingSnapshot?
        for await snapshot in snapshots where snapshot != known {
            known = snapshot
            // A topic of which nobody knows who is bound to it is not served: its messages would reach nobody.
            let visible = topics.filter { !snapshot.hidden.contains(BindingName($0)) }
            topicsInForce.apply(snapshot.bindings, of: visible)
            saver?.save(snapshot.bindings, of: visible.sorted())
        }
    }

    /// What the store remembers, by topic, without the topics that were never saved, as soon as it can be asked: until then what
    /// the registry says is in force, once it answers. Nil where the task was cancelled before, or the registry ended.
    private func savedBindings(
        of topics: Set<String>, _ topicsInForce: TopicsInForce
    ) async -> [String: [Binding]]? {
        do { return try await readSavedBindings(of: topics) } catch {
            logger.debug("the bindings as last known cannot be read yet: \(error)")
        }
        return await withTaskGroup(of: [String: [Binding]]?.self) { tasks in
            tasks.addTask {
                let snapshots = self.registry.snapshots(of: topics.sorted(), lastKnown: nil)
                await self.apply(snapshots, of: topics, topicsInForce, nil)
                return nil
            }
            tasks.addTask {
                var failures = FailureStreak("read the bindings as last known", self.logger)
                while !Task.isCancelled {
                    do { return try await self.readSavedBindings(of: topics) } catch {
                        failures.add(error)
                        await self.clock.pause(.milliseconds(500))
                    }
                }
                return nil
            }
            defer { tasks.cancelAll() }
            return await tasks.next() ?? nil
        }
    }

    private func readSavedBindings(of topics: Set<String>) async throws -> [String: [Binding]] {
        var saved: [String: [Binding]] = [:]
        for topic in topics.sorted() { saved[topic] = try await store.savedBindings(topics: [topic]) }
        return saved
    }
}
