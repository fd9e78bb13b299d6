/// Where somebody comes from who wants to be let in, and as what.
package struct GateOrigin: Hashable, Sendable {
    /// What holds many addresses, as `InternetAddress.network(of:)`.
    package var network: String
    /// What counts for one.
    package var address: String
    package var group: BindingName

    package init(network: String, address: String, group: BindingName) {
        (self.network, self.address, self.group) = (network, address, group)
    }

    fileprivate var path: [BindingName] { [BindingName(network), BindingName(address), group] }
}

/// How many cases wait in ``GateQueue``.
package struct GateLimits: Sendable {
    package var all: Int
    package var ofAddress: Int
    /// From one address. More than the secrets that a group has at a time are guesses.
    package var ofGroup: Int

    package init(all: Int, ofAddress: Int, ofGroup: Int) {
        (self.all, self.ofAddress, self.ofGroup) = (all, ofAddress, ofGroup)
    }
}

/// Somebody who wants to be let in.
package protocol GateWaiter: Sendable {
    /// What is to be compared: all who have the same get one answer.
    associatedtype Key: Hashable & Sendable
    var key: Key { get }
    var origin: GateOrigin { get }
    /// Whether he is still there.
    var isWaiting: Bool { get }
}

/// Who is looked at next of those who want to be let in, where that takes long: networks have their turns, within one its addresses,
/// and within one of these its groups. Whoever failed again and again has to wait for the next try.
///
/// What one address wants to have compared for one group is a case, however many wait for it. There is room for so many cases; beyond
/// that the one gives way that would have to wait longest for its pause, else the newest where most wait. Nobody is worked for, or
/// gives way to, who has left.
package struct GateQueue<Waiter: GateWaiter>: Sendable {
    package enum Next: Sendable {
        case now(Waiter)
        /// All that wait have failed lately: the first of them may try then.
        case later(MonotonicTime)
        case nothing
    }

    private struct Case: Hashable, Sendable {
        var key: Waiter.Key
        var origin: GateOrigin
    }

    private let limits: GateLimits
    private var cases = TurnTree<Case>()
    /// By what is compared and where they come from; those of the case at work, which is no longer in the tree, too.
    private var crowds: [Waiter.Key: [GateOrigin: Crowd<Waiter>]] = [:]
    private var pauses = FailurePauses<BindingName>()

    package init(_ limits: GateLimits) { self.limits = limits }

    /// Cases that wait.
    package var count: Int { cases.count }

    // MARK: Coming

    /// Takes one who waits.
    /// - Returns: those who have to give way, and may be among them.
    package mutating func add(_ waiter: Waiter, now: MonotonicTime) -> [Waiter] {
        let (key, origin) = (waiter.key, waiter.origin)
        let isKnown = crowds[key]?[origin] != nil
        crowds[key, default: [:]][origin, default: Crowd()].add(waiter)
        guard !isKnown else { return [] }
        cases.append(Case(key: key, origin: origin), at: origin.path[...])
        guard let scope = fullScope(origin) else { return [] }
        dropLeft()
        guard fullScope(origin) != nil, let out = whoGivesWay(below: scope, to: origin, now: now) else { return [] }
        return remove(out)
    }

    /// The path below which there are too many; nil where there are not.
    private func fullScope(_ origin: GateOrigin) -> ArraySlice<BindingName>? {
        let path = origin.path
        if cases.count(at: path[...]) > limits.ofGroup { return path[...] }
        if cases.count(at: path[..<2]) > limits.ofAddress { return path[..<2] }
        return cases.count > limits.all ? [] : nil
    }

    /// The newest case of the group that has the latest pause; without pauses, of where most wait.
    private func whoGivesWay(
        below scope: ArraySlice<BindingName>, to newcomer: GateOrigin, now: MonotonicTime
    ) -> Case? {
        var found: (rank: [MonotonicTime], at: Case)?
        let own = newcomer.path
        cases.eachLeaf(below: scope) { newest, counts in
            let end = pauses.end(newest.origin.address, newest.origin.group)
            // Of several places where as many wait, the newcomer's own; but who is alone takes the place of others that are.
            let path = newest.origin.path
            var (isOwn, rank) = (true, [end > now ? end : 0])
            for (depth, count) in zip(scope.count..., counts) {
                isOwn = isOwn && path[depth] == own[depth]
                rank += [MonotonicTime(count), isOwn == (count > 1) ? 1 : 0]
            }
            if found.map({ $0.rank.lexicographicallyPrecedes(rank) }) ?? true { found = (rank, newest) }
        }
        return found?.at
    }

    /// Takes out the cases for which nobody waits any more.
    private mutating func dropLeft() {
        for (key, crowdsOfKey) in crowds {
            for (origin, crowd) in crowdsOfKey where !crowd.isWaiting { _ = remove(Case(key: key, origin: origin)) }
        }
    }

    /// - Returns: those who waited for it; nobody where it is at work, or not there.
    private mutating func remove(_ out: Case) -> [Waiter] {
        guard cases.removeLast(at: out.origin.path[...], where: { $0 == out }) != nil else { return [] }
        return takeCrowd(out)?.waiters ?? []
    }

    private mutating func takeCrowd(_ one: Case) -> Crowd<Waiter>? {
        let crowd = crowds[one.key]?.removeValue(forKey: one.origin)
        if crowds[one.key]?.isEmpty == true { crowds[one.key] = nil }
        return crowd
    }

    // MARK: Going

    /// One of those whose turn and time have come. What comes meanwhile and wants the same waits for ``answered(_:)``, too.
    package mutating func next(now: MonotonicTime) -> Next {
        while true {
            switch cases.next(now: now, dueAt: { pauses.end($0.origin.address, $0.origin.group) }) {
            case .now(let found):
                if let waiter = crowds[found.key]?[found.origin]?.waiters.first(where: \.isWaiting) {
                    return .now(waiter)
                }
                _ = takeCrowd(found)
            case .later(let time): return .later(time)
            case .nothing: return .nothing
            }
        }
    }

    /// What is right is known now.
    /// - Returns: all who wait for it, from wherever they come.
    package mutating func answered(_ key: Waiter.Key) -> [Waiter] {
        guard let crowdsOfKey = crowds.removeValue(forKey: key) else { return [] }
        for origin in crowdsOfKey.keys {
            let same = Case(key: key, origin: origin)
            _ = cases.removeLast(at: origin.path[...], where: { $0 == same })
        }
        return crowdsOfKey.values.flatMap(\.waiters)
    }

    // MARK: What came of it

    package mutating func failed(_ origin: GateOrigin, now: MonotonicTime) {
        pauses.failed(origin.address, origin.group, now: now)
    }

    package mutating func succeeded(_ origin: GateOrigin) { pauses.succeeded(origin.address, origin.group) }

    /// When the next try may be; `.min` where nothing stands against it.
    package func pauseEnds(_ origin: GateOrigin) -> MonotonicTime { pauses.end(origin.address, origin.group) }
}

/// Those who wait for one case. Who has left is dropped now and then, so that they are at most twice as many as are there.
private struct Crowd<Waiter: GateWaiter>: Sendable {
    private static var fewest: Int { 64 }

    private(set) var waiters: [Waiter] = []
    private var looksAgainAt = fewest

    var isWaiting: Bool { waiters.contains(where: \.isWaiting) }

    mutating func add(_ waiter: Waiter) {
        if waiters.count >= looksAgainAt {
            waiters.removeAll { !$0.isWaiting }
            looksAgainAt = max(Self.fewest, 2 * waiters.count)
        }
        waiters.append(waiter)
    }
}
