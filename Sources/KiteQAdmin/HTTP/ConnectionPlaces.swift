/// Which connections there are to the administration, and which one makes way where there are too many: a pure rule.
///
/// A connection is busy from a request's last header to the end of its answer; else it is idle, and costs nobody anything to lose: a client
/// that finds it closed opens another one. So whoever opens connections and lets them be takes no place from whoever asks something. Where
/// all are busy, a few more are taken for the probe alone, which is answered at once: those that wait for messages do not make
/// the process look dead.
struct ConnectionPlaces<ID: Hashable & Sendable>: Sendable {
    /// What becomes of one that comes.
    enum Entry: Hashable, Sendable {
        /// It stays; the other one, if there is one, is to be closed, and has left.
        case stays(insteadOf: ID?)
        case refused
    }

    private struct Place {
        var address: String
        /// For the probe alone.
        var isReserve: Bool
        var unanswered = 0
        /// Since when it is idle, as a number that grows.
        var since: UInt64
    }

    private let limits: AdminLimits
    private var places: [ID: Place] = [:]
    private var reserve = 0
    private var byAddress: [String: Int] = [:]
    private var clock: UInt64 = 0

    init(_ limits: AdminLimits) { self.limits = limits }

    mutating func enter(_ id: ID, from address: String) -> Entry {
        if hasRoom(for: address) {
            take(id, address, isReserve: false)
            return .stays(insteadOf: nil)
        }
        let isOwnFault = byAddress[address, default: 0] >= limits.maxConnectionsPerAddress
        if let other = longestIdle(where: { !$0.isReserve && (!isOwnFault || $0.address == address) }) {
            leave(other)
            take(id, address, isReserve: false)
            return .stays(insteadOf: other)
        }
        var other: ID?
        if reserve >= limits.reserve {
            other = longestIdle { $0.isReserve }
            guard let other else { return .refused }
            leave(other)
        }
        take(id, address, isReserve: true)
        return .stays(insteadOf: other)
    }

    /// A request's headers are here. False where it is not to be answered: the connection is there for the probe alone.
    mutating func begin(_ id: ID, isProbe: Bool) -> Bool {
        // It made way for another one, and is about to end.
        guard var place = places[id] else { return true }
        if place.isReserve, !isProbe {
            guard hasRoom(for: place.address) else { return false }
            place.isReserve = false
            reserve -= 1
            byAddress[place.address, default: 0] += 1
        }
        place.unanswered += 1
        places[id] = place
        return true
    }

    /// A request is answered.
    mutating func end(_ id: ID) {
        clock += 1
        places[id]?.unanswered -= 1
        places[id]?.since = clock
    }

    mutating func leave(_ id: ID) {
        guard let place = places.removeValue(forKey: id) else { return }
        guard !place.isReserve else {
            reserve -= 1
            return
        }
        let left = byAddress[place.address, default: 1] - 1
        byAddress[place.address] = left > 0 ? left : nil
    }

    private func hasRoom(for address: String) -> Bool {
        places.count - reserve < limits.maxConnections
            && byAddress[address, default: 0] < limits.maxConnectionsPerAddress
    }

    private mutating func take(_ id: ID, _ address: String, isReserve: Bool) {
        clock += 1
        places[id] = Place(address: address, isReserve: isReserve, since: clock)
        if isReserve { reserve += 1 } else { byAddress[address, default: 0] += 1 }
    }

    /// Of the address that has the most of them: whoever opens many takes his own.
    private func longestIdle(where mayGo: (Place) -> Bool) -> ID? {
        let idle = places.filter { $0.value.unanswered <= 0 && mayGo($0.value) }
        var counts: [String: Int] = [:]
        for place in idle.values { counts[place.address, default: 0] += 1 }
        return idle.min {
            (counts[$1.value.address, default: 0], $0.value.since)
                < (counts[$0.value.address, default: 0], $1.value.since)
        }?.key
    }
}
