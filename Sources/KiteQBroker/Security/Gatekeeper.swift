import Dispatch
import KiteQCore
import Synchronization

/// Finds out whether clients are who they say, away from the event loops where that takes long.
///
/// One comparison at a time, in the order of ``GateQueue``, and a bounded number that wait; those of one secret of one group from one
/// address are one. Nobody is worked for who has left. What was found right is remembered, by a key that says nothing about it, so
/// that 20,000 clients that come back at once cost 20,000 look-ups. While a group has to wait after failures from an address, only
/// what was right from that very address is let in at once: else the pauses would not slow down who guesses a secret in use.
final class Gatekeeper: Sendable {
    enum Verdict: Sendable {
        case admitted(AccessRules.Admittance)
        case refused
        /// Too many wait already.
        case busy
        /// It failed too often lately, and may try again then. Only for visitors that do not wait for it.
        case paused(until: MonotonicTime)
    }

    /// Who wants to be let in, and as what.
    struct Visitor: Sendable {
        var group: BindingName
        var secret: String
        /// Of the certificate that it showed.
        var certificate: [String] = []
        /// What counts for one, as `Peer.address`.
        var address: String
        /// Whether it would rather be told to come again than wait for a pause to end.
        var isInHaste = false
        /// Whether it is still there.
        var isWaiting: @Sendable () -> Bool = { true }
    }

    /// HMAC-SHA-256.
    fileprivate typealias Key = [UInt8]

    fileprivate struct Case: Sendable {
        var key: Key
        var visitor: Visitor
        var rules: AccessRules
    }

    fileprivate struct Waiter: Sendable {
        var address: String
        var isWaiting: @Sendable () -> Bool
        var hear: @Sendable (Verdict) -> Void
    }

    /// What was right, and where it came from.
    fileprivate struct Place: Hashable {
        var key: Key
        var address: String
    }

    fileprivate struct State {
        var remembered: [Key: GroupSecret] = [:]
        var places: Set<Place> = []
        var queue: GateQueue<Case>
        var waiters: [Key: [Waiter]] = [:]
        /// It is at work, or will be.
        var isWorking = false
        /// When it begins again by itself: one timer is enough.
        var wakesAt: MonotonicTime?

        mutating func takeWaiters(_ key: Key, from address: String) -> [Waiter] {
            let own = (waiters[key] ?? []).filter { $0.address == address }
            waiters[key]?.removeAll { $0.address == address }
            if waiters[key]?.isEmpty == true { waiters[key] = nil }
            return own
        }
    }

    fileprivate enum Step {
        case judge(GateQueue<Case>.Entry)
        case rest(until: MonotonicTime)
        case end
    }

    private let state: Mutex<State>
    private let salt = (0..<SHA256.byteCount).map { _ in UInt8.random(in: 0...255) }
    private let thread: DispatchQueue
    private let rememberedLimit: Int

    /// - Parameters:
    ///   - thread: a serial queue.
    ///   - queueLimit: comparisons that wait.
    ///   - addressLimit: of these from one address.
    init(
        thread: DispatchQueue = DispatchQueue(label: "kiteq.gatekeeper"), queueLimit: Int = 1_000,
        addressLimit: Int = 100, rememberedLimit: Int = 10_000
    ) {
        state = Mutex(State(queue: GateQueue(limit: queueLimit, limitOfAddress: addressLimit)))
        self.thread = thread
        self.rememberedLimit = rememberedLimit
    }

    /// The verdict, where it is found at once; else nil, and `later` is called with it, on a thread of its own, unless the visitor
    /// has left.
    func judge(
        _ visitor: Visitor, by rules: AccessRules, later: @escaping @Sendable (Verdict) -> Void
    ) -> Verdict? {
        let (group, names) = (visitor.group, visitor.certificate)
        if rules.isOpen(group) { return .admitted(.anyone) }
        let key = self.key(group, visitor.secret, names)
        let waiter = Waiter(address: visitor.address, isWaiting: visitor.isWaiting, hear: later)
        let isFree = rules.price(of: group) == 0
        let (verdict, pushedOut, isToStart) = state.withLock { state -> (Verdict?, [Waiter], Bool) in
            let now = SystemTime.monotonic()
            let mayTry = state.queue.pauseEnds(visitor.address, group)
            let place = Place(key: key, address: visitor.address)
            if let known = state.remembered[key], rules.stillAdmits(group, .secret(known), certificate: names),
                mayTry <= now || state.places.contains(place)
            {
                state.remember(known, place, upTo: rememberedLimit)
                return (.admitted(.secret(known)), [], false)
            }
            if mayTry > now, visitor.isInHaste { return (.paused(until: mayTry), [], false) }
            if isFree, mayTry <= now {
                // Two hashes: no work for another thread.
                let admittance = rules.admit(group, secret: visitor.secret, certificate: names)
                state.learn(admittance, place, group, upTo: rememberedLimit)
                return (admittance.map(Verdict.admitted) ?? .refused, [], false)
            }
            var pushedOut: [Waiter] = []
            let isQueued = state.waiters[key]?.contains { $0.address == visitor.address } ?? false
            state.waiters[key, default: []].append(waiter)
            if !isQueued {
                let content = Case(key: key, visitor: visitor, rules: rules)
                if let out = state.queue.add(content, from: visitor.address, of: group) {
                    pushedOut = state.takeWaiters(out.content.key, from: out.address)
                }
            }
            defer { state.isWorking = true }
            return (nil, pushedOut, !state.isWorking)
        }
        for waiter in pushedOut { waiter.hear(.busy) }
        if isToStart { thread.async { self.work() } }
        return verdict
    }

    private func work() {
        while true {
            switch state.withLock({ $0.next(now: SystemTime.monotonic()) }) {
            case .judge(let entry): judge(entry)
            case .rest(let time):
                let wait = max(0, time - SystemTime.monotonic())
                thread.asyncAfter(deadline: .now() + .nanoseconds(Int(wait))) { self.resume() }
                return
            case .end: return
            }
        }
    }

    /// After a rest, unless somebody came meanwhile and began.
    private func resume() {
        let isToStart = state.withLock { state in
            state.wakesAt = nil
            defer { state.isWorking = true }
            return !state.isWorking
        }
        if isToStart { work() }
    }

    private func judge(_ entry: GateQueue<Case>.Entry) {
        let (visitor, rules, key) = (entry.content.visitor, entry.content.rules, entry.content.key)
        let admittance = rules.admit(visitor.group, secret: visitor.secret, certificate: visitor.certificate)
        let waiters = state.withLock { state in
            state.learn(admittance, Place(key: key, address: entry.address), entry.group, upTo: rememberedLimit)
            // The same is asked for from elsewhere: these have their answer, too.
            return state.waiters.removeValue(forKey: key) ?? []
        }
        for waiter in waiters { waiter.hear(admittance.map(Verdict.admitted) ?? .refused) }
    }

    private func key(_ group: BindingName, _ secret: String, _ names: [String]) -> Key {
        var bytes: [UInt8] = []
        for part in [group.text, secret] + names {
            bytes += part.utf8
            bytes.append(0xFF)  // No text holds it: parts do not run together.
        }
        return SHA256.authenticationCode(of: bytes, key: salt)
    }
}

extension Gatekeeper.State {
    /// Takes what came of a comparison.
    fileprivate mutating func learn(
        _ admittance: AccessRules.Admittance?, _ place: Gatekeeper.Place, _ group: BindingName, upTo limit: Int
    ) {
        if case .secret(let secret)? = admittance { remember(secret, place, upTo: limit) }
        if admittance == nil {
            queue.failed(place.address, group, now: SystemTime.monotonic())
        } else {
            queue.succeeded(place.address, group)
        }
    }

    /// It starts over rather than grow: nobody is let in by it who would not be without.
    fileprivate mutating func remember(_ secret: GroupSecret, _ place: Gatekeeper.Place, upTo limit: Int) {
        if remembered[place.key] != secret {
            if remembered.count >= limit { remembered.removeAll() }
            remembered[place.key] = secret
        }
        if places.count >= limit, !places.contains(place) { places.removeAll() }
        places.insert(place)
    }

    /// What is to be done now; where that is nothing, nobody works.
    fileprivate mutating func next(now: MonotonicTime) -> Gatekeeper.Step {
        while true {
            switch queue.next(now: now) {
            case .now(let entry):
                // Those who have left, and those who were answered with others, are passed over.
                let key = entry.content.key
                waiters[key]?.removeAll { !$0.isWaiting() }
                if waiters[key]?.isEmpty == false { return .judge(entry) }
                waiters[key] = nil
            case .later(let time):
                isWorking = false
                if let wakesAt, wakesAt <= time { return .end }
                wakesAt = time
                return .rest(until: time)
            case .nothing:
                isWorking = false
                return .end
            }
        }
    }
}
