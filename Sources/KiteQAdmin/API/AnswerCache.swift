import KiteQBroker
import KiteQCore
import Synchronization

/// Answers that cost the store something, kept for a few seconds, and asked for once at a time however many callers wait: what
/// people look at must not load the database with how many they are.
final class AnswerCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    struct Dated: Sendable {
        var value: Value
        /// When it was asked for.
        var askedAt: MonotonicTime

        /// Milliseconds since it was asked for.
        var age: Timestamp { max(0, SystemTime.monotonic() - askedAt) / 1_000_000 }
    }

    private struct Entry {
        var answer: Dated?
        var readAt: ContinuousClock.Instant
        var task: Task<Value, Never>?
    }

    private let entries = Mutex([Key: Entry]())
    private let lifetime: Duration
    private let capacity: Int

    /// - Parameter capacity: answers kept; beyond it the cache starts over.
    init(lifetime: Duration, capacity: Int = 64) {
        self.lifetime = lifetime
        self.capacity = capacity
    }

    /// The answer kept, where it is young enough; else that of `ask`, or of a call of it that is under way.
    func value(_ key: Key, ask: @escaping @Sendable () async -> Value) async -> Dated {
        let now = ContinuousClock.now
        let pending: (task: Task<Value, Never>, isOurs: Bool)? = entries.withLock { entries in
            if let entry = entries[key] {
                if entry.answer != nil, now - entry.readAt < lifetime { return nil }
                if let task = entry.task { return (task, false) }
            } else if entries.count >= capacity {
                entries.removeAll()
            }
            // Not a child task: whoever asked first may go away, and the others wait for the same answer.
            let task = Task { await ask() }
            entries[key, default: Entry(readAt: now)].task = task
            return (task, true)
        }
        guard let pending else {
            if let kept = entries.withLock({ $0[key]?.answer }) { return kept }
            return Dated(value: await ask(), askedAt: SystemTime.monotonic())
        }
        let asked = SystemTime.monotonic()
        let answer = Dated(value: await pending.task.value, askedAt: asked)
        if pending.isOurs {
            // What was cleared meanwhile stays so.
            entries.withLock { entries in
                if entries[key]?.task == pending.task { entries[key] = Entry(answer: answer, readAt: .now) }
            }
        }
        return answer
    }

    /// After an act that changes the answer: what is under way was asked before it.
    func clear() { entries.withLock { $0.removeAll() } }

    /// The answer kept, at once where it is no older than `age`; else the next one, if it comes within `patience`. Nil where none
    /// is there by then.
    func latest(
        _ key: Key, within age: Duration, patience: Duration, ask: @escaping @Sendable () async -> Value
    ) async -> Dated? {
        let readAt = entries.withLock { entries in entries[key].flatMap { $0.answer == nil ? nil : $0.readAt } }
        guard readAt.map({ ContinuousClock.now - $0 > age }) ?? true else { return latest(key, ask: ask) }
        let (answers, coming) = AsyncStream<Dated>.makeStream()
        // Not child tasks: their group would wait for an answer that comes too late.
        Task {
            coming.yield(await self.value(key, ask: ask))
            coming.finish()
        }
        let alarm = Task {
            try await Task.sleep(for: patience)
            coming.finish()
        }
        defer { alarm.cancel() }
        for await answer in answers { return answer }
        return entries.withLock { $0[key]?.answer }
    }

    /// The answer kept, however old, at once; one that is too old is asked for again meanwhile. Nil before the first is there.
    func latest(_ key: Key, ask: @escaping @Sendable () async -> Value) -> Dated? {
        let now = ContinuousClock.now
        let (kept, isFresh) = entries.withLock { entries in
            (entries[key]?.answer, entries[key].map { $0.answer != nil && now - $0.readAt < lifetime } ?? false)
        }
        if !isFresh { Task { _ = await self.value(key, ask: ask) } }
        return kept
    }
}
