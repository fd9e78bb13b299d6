import KiteQCore
import KiteQStore
import NIOConcurrencyHelpers

/// A store whose inserts can be made to fail, before or after they took place, to wait, or to meet locks, and whose groups can
/// be paused.
final class FaultyStore: PassingStore {
    let base: InMemoryMessageStore
    private let fault = NIOLockedValueBox<(error: StoreError, isAfter: Bool)?>(nil)
    private let gate = NIOLockedValueBox<Gate>(Gate())
    private let locked = NIOLockedValueBox<Set<MessageID>>([])
    private let paused = NIOLockedValueBox<Set<String>>([])
    private let refused = NIOLockedValueBox<(seqs: Set<Int64>, error: StoreError?)>(([], nil))
    private let checks = NIOLockedValueBox<[MemoryCheck]>([])

    private let stalled = NIOLockedValueBox<Set<MessageID>>([])
    private let decideFault = NIOLockedValueBox<@Sendable (Int) throws -> Void>({ _ in })

    init(shards: Int = 4) { base = InMemoryMessageStore(shards: shards) }
    init(over base: InMemoryMessageStore) { self.base = base }

    private let late = NIOLockedValueBox<(error: StoreError, batches: [(batch: [Insertion], shard: Int)])?>(nil)

    /// Inserts fail from now on, and take place when `applyLate()` is called: so it looks where a server that takes over has yet to
    /// apply them.
    func failAndApplyLate(_ error: StoreError) { late.withLockedValue { $0 = (error, []) } }

    func applyLate() async throws {
        let batches = late.withLockedValue { late in
            defer { late = nil }
            return late?.batches ?? []
        }
        var known: Set<MessageID> = []
        for (batch, shard) in batches {
            let first = batch.filter { known.insert($0.message.id).inserted }
            _ = try await base.insert(first, shard: shard, deadline: .now + .seconds(60))
        }
    }

    private let uncertain = NIOLockedValueBox<Set<MessageID>>([])

    /// Inserts of these may have taken place, and nobody knows.
    func leaveUncertain(_ ids: Set<MessageID>) { uncertain.withLockedValue { $0 = ids } }

    func fail(_ error: StoreError?) { fault.withLockedValue { $0 = error.map { ($0, false) } } }
    func failAfterInserting(_ error: StoreError) { fault.withLockedValue { $0 = (error, true) } }

    func insert(
        _ batch: [Insertion], shard: Int, deadline: ContinuousClock.Instant
    ) async throws -> [Insertion.Outcome] {
        // As the database's store does.
        guard .now < deadline else { return batch.map { _ in .notYet("there was no time left to store it") } }
        await pass()
        let lateError = late.withLockedValue { late in
            late?.batches.append((batch, shard))
            return late?.error
        }
        if let lateError { throw lateError }
        let uncertain = uncertain.withLockedValue { $0 }
        if batch.allSatisfy({ uncertain.contains($0.message.id) }) {
            return batch.map { _ in .unknown("the reply was lost") }
        }
        let fault = fault.withLockedValue { $0 }
        if let fault, !fault.isAfter { throw fault.error }
        let locked = locked.withLockedValue { $0 }
        let free = batch.filter { !locked.contains($0.message.id) }
        var outcomes = try await base.insert(free, shard: shard, deadline: deadline)[...]
        if let fault { throw fault.error }
        return batch.map { insertion in
            locked.contains(insertion.message.id) ? .notYet("somebody has locked it") : outcomes.removeFirst()
        }
    }

    /// Inserts meet locks of these ids, and do not wait for them.
    func lock(_ ids: Set<MessageID>) { locked.withLockedValue { $0 = ids } }

    private struct Gate {
        var isClosed = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    /// Inserts wait from now on, before they take place.
    func holdInserts() { gate.withLockedValue { $0.isClosed = true } }

    func releaseInserts() {
        let waiting = gate.withLockedValue { gate in
            defer { gate = Gate() }
            return gate.waiting
        }
        for one in waiting { one.resume() }
    }

    var heldInserts: Int { gate.withLockedValue { $0.waiting.count } }

    private func pass() async {
        await withCheckedContinuation { one in
            let mayPass = gate.withLockedValue { gate in
                if gate.isClosed { gate.waiting.append(one) }
                return !gate.isClosed
            }
            if mayPass { one.resume() }
        }
    }

    func pause(_ groups: Set<String>) { paused.withLockedValue { $0 = groups } }
    func pausedGroups() async throws -> Set<String> { paused.withLockedValue { $0 } }

    /// Answers to these are not taken alone.
    func stall(_ ids: Set<MessageID>) { stalled.withLockedValue { $0 = ids } }
    /// Asked before answers are taken, with the shard.
    func beforeDecisions(_ body: @escaping @Sendable (Int) throws -> Void) { decideFault.withLockedValue { $0 = body } }

    func decide(
        _ batch: [TransactionDecision], shard: Int, route: @escaping @Sendable (String, String) -> Route?
    ) async throws -> [TransactionDecision.Outcome] {
        try decideFault.withLockedValue { $0 }(shard)
        let stalled = stalled.withLockedValue { $0 }
        let free = batch.filter { !stalled.contains($0.messageID) }
        var outcomes = try await base.decide(free, shard: shard, route: route)[...]
        return batch.map { stalled.contains($0.messageID) ? .notYet("it is too large") : outcomes.removeFirst() }
    }

    /// Settlements of these messages are refused alone, as one that is too large is.
    func refuse(_ seqs: Set<Int64>, _ error: StoreError?) { refused.withLockedValue { $0 = (seqs, error) } }

    func settle(_ batch: [Settlement], shard: Int) async throws -> [Int64] {
        let refused = refused.withLockedValue { $0 }
        let stuck = batch.filter { refused.seqs.contains($0.seq) }.map(\.seq)
        guard let error = refused.error, !stuck.isEmpty else { return try await base.settle(batch, shard: shard) }
        let others = batch.filter { !refused.seqs.contains($0.seq) }
        let lost = try await base.settle(others, shard: shard)
        throw PartlySettled(done: others.map(\.seq), lost: lost, stuck: stuck, cause: error)
    }

    /// What the next comparison of memory with rows says.
    func found(_ check: MemoryCheck) { checks.withLockedValue { $0.append(check) } }

    func checkMemory(shard: Int, bindings: @Sendable () -> [Binding]) async throws -> MemoryCheck {
        checks.withLockedValue { $0.isEmpty ? MemoryCheck() : $0.removeFirst() }
    }
}
