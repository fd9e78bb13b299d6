import KiteQCore
import NIOConcurrencyHelpers

/// A store of leases whose answers the test has laid ready, one for each call; the last one is given again and again.
final class ScriptedLeaseStore: LeaseStore {
    private struct State {
        var watches: [Result<[String], StoreError>] = [.success([])]
        var renewals: [Result<Void, StoreError>] = [.success(())]
        var counts = (watched: 0, renewed: 0, joined: 0)
    }

    private let state = NIOLockedValueBox(State())
    private let clock: TurnedClock
    let lease: Duration = .seconds(9)

    init(_ clock: TurnedClock) { self.clock = clock }

    func watching(_ answers: Result<[String], StoreError>...) { state.withLockedValue { $0.watches = answers } }
    func renewing(_ answers: Result<Void, StoreError>...) { state.withLockedValue { $0.renewals = answers } }
    var counts: (watched: Int, renewed: Int, joined: Int) { state.withLockedValue { $0.counts } }

    func joinIfMissing(shard: Int) async throws -> Int64? {
        state.withLockedValue { $0.counts.joined += 1 }
        return nil
    }

    func renewLease(shard: Int) async throws -> ServerClock {
        try state.withLockedValue { state in
            state.counts.renewed += 1
            return state.renewals.count > 1 ? state.renewals.removeFirst() : state.renewals[0]
        }.get()
        let now = clock.monotonic()
        return ServerClock(.init(server: clock.wall(), sentAt: now, receivedAt: now, wall: clock.wall()))
    }

    func watchLeases(shard: Int) async throws -> [String] {
        try state.withLockedValue { state in
            state.counts.watched += 1
            return state.watches.count > 1 ? state.watches.removeFirst() : state.watches[0]
        }.get()
    }
}
