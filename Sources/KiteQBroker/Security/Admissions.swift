import KiteQCore
import Synchronization

/// Counts the connections there are, in all and from each address.
final class Admissions: Sendable {
    private struct State {
        var count = 0
        var byAddress: [String: Int] = [:]
        var isNear = false
    }

    private let state = Mutex(State())

    /// Nil where one more is within the limits: it counts until ``leave(_:)``. Else why not.
    func enter(_ peer: Peer, _ settings: SessionSettings) -> (kind: Refusals.Kind, why: String)? {
        state.withLock { state in
            guard state.count < settings.maxConnections else {
                return (.tooMany, "there are \(settings.maxConnections) already (broker.max_connections)")
            }
            let own = state.byAddress[peer.address, default: 0]
            guard own < settings.maxConnectionsPerAddress else {
                return (
                    .tooManyFromAddress,
                    "\(peer.address) has \(own) already (broker.max_connections_per_address)"
                )
            }
            state.count += 1
            state.byAddress[peer.address] = own + 1
            return nil
        }
    }

    /// How many there are, where nine of ten that there may be have just been reached; nil else, until fewer than eight of ten were
    /// there in between.
    func nearLimit(_ settings: SessionSettings) -> Int? {
        state.withLock { state in
            guard !state.isNear, state.count * 10 >= settings.maxConnections * 9 else { return nil }
            state.isNear = true
            return state.count
        }
    }

    func leave(_ peer: Peer, _ settings: SessionSettings) {
        state.withLock { state in
            state.count -= 1
            if state.count * 10 < settings.maxConnections * 8 { state.isNear = false }
            let left = (state.byAddress[peer.address] ?? 1) - 1
            state.byAddress[peer.address] = left > 0 ? left : nil
        }
    }

    var count: Int { state.withLock { $0.count } }
}
