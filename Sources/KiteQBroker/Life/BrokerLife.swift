import KiteQCore
import Logging
import Synchronization

/// One life of a broker, from joining the store to its end: what works in it, and in which order that begins and stops.
final class BrokerLife: Sendable {
    let parts: BrokerParts
    /// Until when what waits to be written behind is tried again; the end of time while the broker runs.
    private let writeUntil = Mutex(MonotonicTime.max)

    init(_ parts: BrokerParts) { self.parts = parts }

    private var mayWrite: Bool { writeUntil.withLock { $0 } > parts.clock.monotonic() }

    /// Waits until bindings are known, and keeps the leases meanwhile: others take whoever does not renew them for dead.
    /// - Throws: `StoreError` with `fenced` where they did.
    func bindingsAreKnown() async throws {
        let parts = self.parts
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for keeper in parts.keepers {
                tasks.addTask {
                    // The join was as good as a renewal.
                    await parts.clock.pause(parts.store.lease / 3)
                    await keeper.run()
                }
            }
            defer { tasks.cancelAll() }
            try await unlessFenced { try await parts.topicsInForce.waitUntilKnown() }
        }
    }

    /// Serves until `body` returns; then stops in order.
    /// - Throws: what `body` throws; `StoreError` with `fenced` where another broker declared this one dead: nothing that it
    ///   holds is its own any more.
    func run(until body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { workers in
            // Nothing is accepted without a lease; one that cannot be had now is the keepers' business.
            try await withThrowingTaskGroup(of: Void.self) { tries in
                for keeper in parts.keepers { tries.addTask { try await keeper.begin() } }
                try await tries.waitForAll()
            }
            await readPauses()
            for worker in parts.workers { workers.addTask { await worker.run() } }
            defer { workers.cancelAll() }
            try await withThrowingTaskGroup(of: Void.self) { writers in
                addWriters(to: &writers)
                parts.listener.serve(parts.services)
                do {
                    try await unlessFenced { try await body() }
                    try await unlessFenced { try await self.stop() }
                } catch {
                    // Cancelled, or told to go at once: what is stored stays stored, what is in flight comes again.
                    parts.listener.endSessions()
                    parts.messaging.end()
                    for connection in parts.connections.all { connection.close() }
                    closeLanes()
                    writers.cancelAll()
                    throw error
                }
            }
        }
    }

    /// Before anything is delivered; where the first shard does not answer, its surveyor goes on asking.
    private func readPauses() async {
        do {
            if let why = parts.leases.whyAway(0) { throw StoreError(.unavailable, why) }
            try await parts.pausedGroups.refresh()
        } catch {
            parts.logger.warning(
                "it is not known yet which groups are paused, so all get their messages until it is: \(error)")
        }
    }

    private func unlessFenced(_ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { race in
            race.addTask { try await body() }
            race.addTask { try await self.parts.fence.watch() }
            defer { race.cancelAll() }
            try await race.next()
        }
    }

    /// What works until its lane is closed and empty.
    private func addWriters(to tasks: inout ThrowingTaskGroup<Void, any Error>) {
        let (publishing, transactions) = (parts.publishing, parts.transactions)
        for shard in 0..<parts.store.shardMap.shardCount {
            let behind = WriteBehind(
                shard: shard, store: parts.store, dispatcher: parts.dispatcher,
                mayRetry: { self.mayWrite }, clock: parts.clock, logger: parts.logger)
            tasks.addTask { await publishing.run(shard: shard) }
            tasks.addTask { await transactions.run(shard: shard) }
            tasks.addTask { await behind.run() }
        }
    }

    // MARK: Stopping

    /// Stops accepting, lets what is in flight finish within the limit, and leaves the write-behind lanes to run empty.
    private func stop() async throws {
        let deadline = parts.clock.monotonic() + parts.configuration.drainTimeout.nanoseconds
        parts.phase.withLock { $0 = .finishingDeliveries }
        try await parts.listener.close()
        parts.services.drain()
        parts.messaging.stop()
        parts.topicsInForce.finish()
        for connection in parts.connections.all { connection.drain() }
        parts.publishing.close()
        parts.dispatcher.drain()
        while parts.dispatcher.gauges.inFlight > 0 || parts.publishing.depth.items > 0,
            parts.clock.monotonic() < deadline
        {
            try await parts.clock.sleep(for: .milliseconds(10))
        }
        let left = parts.dispatcher.gauges.inFlight
        if left > 0 { parts.logger.warning("\(left) deliveries were not acknowledged in time; they will come again") }
        parts.phase.withLock { $0 = .closingConnections }
        parts.dispatcher.endPulls()
        for connection in parts.connections.all { connection.close() }
        while parts.connections.count > 0, parts.clock.monotonic() < deadline + 1_000_000_000 {
            try await parts.clock.sleep(for: .milliseconds(10))
        }
        parts.phase.withLock { $0 = .writing }
        // Not before the last connection: a commit that is not written would have to be asked for.
        parts.transactions.close()
        parts.dispatcher.finishScans()
        writeUntil.withLock { $0 = parts.clock.monotonic() + parts.configuration.drainTimeout.nanoseconds }
        for lane in parts.dispatcher.lanes { lane.close() }
    }

    private func closeLanes() {
        writeUntil.withLock { $0 = 0 }
        parts.publishing.close()
        parts.transactions.close()
        parts.dispatcher.finishScans()
        for lane in parts.dispatcher.lanes { lane.close() }
    }
}
