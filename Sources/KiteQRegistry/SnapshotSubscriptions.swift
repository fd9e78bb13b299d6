import Dispatch

/// Those who follow a registry: each has a key and gets a new snapshot where the last it got is no longer right.
///
/// A value to be kept under its owner's lock. ``refresh(_:)`` may be called there: yielding wakes a follower's task, for which it
/// takes a lock of that task. Who is cancelled runs its stream's termination handler under that same lock, so such a handler
/// takes the owner's ``afterwards(_:)``; and streams are finished outside of the owner's, since that runs their handlers.
struct SnapshotSubscriptions<Key: Sendable, Snapshot: Sendable & Equatable>: Sendable {
    private struct Entry: Sendable {
        var key: Key
        var continuation: AsyncStream<Snapshot>.Continuation
        var last: Snapshot?
    }

    private var entries: [UInt64: Entry] = [:]
    private var nextID: UInt64 = 0

    var keys: [Key] { entries.values.map(\.key) }

    mutating func add(_ key: Key, _ continuation: AsyncStream<Snapshot>.Continuation) -> UInt64 {
        nextID += 1
        entries[nextID] = Entry(key: key, continuation: continuation)
        return nextID
    }

    /// The key that was followed, nil where it is removed already.
    mutating func remove(_ id: UInt64) -> Key? { entries.removeValue(forKey: id)?.key }

    /// Offers each follower what `snapshot` says for its key; nil says that it is not known yet.
    mutating func refresh(_ snapshot: (Key) -> Snapshot?) {
        for (id, entry) in entries {
            guard let new = snapshot(entry.key), new != entry.last else { continue }
            entries[id]?.last = new
            entry.continuation.yield(new)
        }
    }

    /// Takes all out, to be finished by the caller.
    mutating func removeAll() -> [AsyncStream<Snapshot>.Continuation] {
        defer { entries.removeAll() }
        return entries.values.map(\.continuation)
    }
}

/// A termination handler that leaves its work to another thread, where it may take any lock.
func afterwards<Termination>(_ body: @escaping @Sendable () -> Void) -> @Sendable (Termination) -> Void {
    { _ in DispatchQueue.global().async(execute: body) }
}
