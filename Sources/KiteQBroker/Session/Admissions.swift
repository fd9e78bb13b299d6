import KiteQCore
import Synchronization

/// Counts the connections there are, in all and from each address, and of both those that are let in.
///
/// A share of all places is never had by those that are let in, and no address has more than half of that share: so whoever comes
/// can be judged, and told why it is not let in, however many connections others hold.
final class Admissions: Sendable {
    /// One connection's.
    final class Place: Sendable {
        let peer: Peer
        private let letIn = Atomic<Bool>(false)

        fileprivate init(_ peer: Peer) { self.peer = peer }

        fileprivate var isLetIn: Bool { letIn.load(ordering: .relaxed) }
        /// Only within the lock.
        fileprivate func markLetIn() { letIn.store(true, ordering: .relaxed) }
    }

    private struct Counts {
        var all = 0
        var letIn = 0
        /// Those of which it is not known yet who they are.
        var waiting: Int { all - letIn }
    }

    private struct State {
        var total = Counts()
        var byAddress: [String: Counts] = [:]
        var isNear = false
    }

    enum Entry {
        /// It counts until ``Admissions/leave(_:_:)``.
        case taken(Place)
        case refused(kind: Refusals.Kind, why: String)
    }

    private let state = Mutex(State())

    /// Of `max` places, those that connections which are let in never have: a tenth, 16 at least and 1,000 at most (no more secrets
    /// wait to be compared), but never more than half.
    static func share(of max: Int) -> Int { min(Swift.min(Swift.max(16, max / 10), 1_000), max / 2) }

    func enter(_ peer: Peer, _ settings: SessionSettings) -> Entry {
        let (most, share) = (settings.maxConnections, Self.share(of: settings.maxConnections))
        return state.withLock { state in
            guard state.total.all < most else {
                return .refused(kind: .tooMany, why: "there are \(most) already (broker.max_connections)")
            }
            var own = state.byAddress[peer.address] ?? Counts()
            guard own.all < settings.maxConnectionsPerAddress else {
                return .refused(
                    kind: .tooManyFromAddress,
                    why: "\(peer.address) has \(own.all) already (broker.max_connections_per_address)")
            }
            let isOfShare = state.total.all >= most - share
            guard !isOfShare || own.waiting < max(1, share / 2) else {
                return .refused(
                    kind: .tooManyFromAddress,
                    why:
                        "\(peer.address) has \(own.waiting) connections that are not let in yet, and of the last \(share) places (broker.max_connections) no address has more than half"
                )
            }
            state.total.all += 1
            own.all += 1
            state.byAddress[peer.address] = own
            return .taken(Place(peer))
        }
    }

    /// Nil where it is let in, as it may be once; else why not, a sentence.
    func letIn(_ place: Place, _ settings: SessionSettings) -> String? {
        let (most, share) = (settings.maxConnections, Self.share(of: settings.maxConnections))
        return state.withLock { state in
            guard state.total.letIn < most - share else {
                return
                    "try again later, or at another broker: it has \(state.total.letIn) clients, and takes no more (broker.max_connections is \(most), of which \(share) places are for those that are not let in yet)"
            }
            place.markLetIn()
            state.total.letIn += 1
            state.byAddress[place.peer.address]?.letIn += 1
            return nil
        }
    }

    /// How many are let in, and may be, where nine of ten have just been reached; nil else, until fewer than eight of ten were
    /// there in between.
    func nearLimit(_ settings: SessionSettings) -> (count: Int, limit: Int)? {
        let limit = Self.limit(settings)
        return state.withLock { state in
            guard !state.isNear, state.total.letIn * 10 >= limit * 9 else { return nil }
            state.isNear = true
            return (state.total.letIn, limit)
        }
    }

    /// Of those that are let in.
    private static func limit(_ settings: SessionSettings) -> Int {
        settings.maxConnections - share(of: settings.maxConnections)
    }

    func leave(_ place: Place, _ settings: SessionSettings) {
        state.withLock { state in
            state.total.all -= 1
            if place.isLetIn { state.total.letIn -= 1 }
            if state.total.letIn * 10 < Self.limit(settings) * 8 { state.isNear = false }
            guard var own = state.byAddress[place.peer.address] else { return }
            own.all -= 1
            if place.isLetIn { own.letIn -= 1 }
            state.byAddress[place.peer.address] = own.all > 0 ? own : nil
        }
    }

    var count: Int { state.withLock { $0.total.all } }
}
