import Dispatch
import KiteQCore
import Synchronization

/// Finds out whether clients are who they say, away from the event loops where that takes long.
///
/// One comparison at a time, in the order of ``GateQueue``. What was found right is remembered, by a key that says nothing about it, so
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

    fileprivate struct Waiter: GateWaiter {
        var key: Key
        var origin: GateOrigin
        var visitor: Visitor
        var rules: AccessRules
        var hear: @Sendable (Verdict) -> Void

        var isWaiting: Bool { visitor.isWaiting() }

        func admittance() -> AccessRules.Admittance? {
            rules.admit(visitor.group, secret: visitor.secret, certificate: visitor.certificate)
        }
    }

    /// What was right, and where it came from.
    fileprivate struct Place: Hashable {
        var key: Key
        var address: String
    }

    fileprivate struct State {
        var remembered: [Key: GroupSecret] = [:]
        var places: Set<Place> = []
        var queue: GateQueue<Waiter>
        /// It is at work, or will be.
        var isWorking = false
        /// When it begins again by itself: one timer is enough.
        var wakesAt: MonotonicTime?
    }

    fileprivate enum Step {
        case judge(Waiter)
        case rest(until: MonotonicTime)
        case end
    }

    private let state: Mutex<State>
    private let salt = (0..<SHA256.byteCount).map { _ in UInt8.random(in: 0...255) }
    private let thread: DispatchQueue
    private let rememberedLimit: Int
    private let clock: any ProcessClock

    /// Of comparisons that wait.
    static let limits = GateLimits(all: 1_000, ofAddress: 100, ofGroup: 8)

    /// - Parameter thread: a serial queue.
    init(
        thread: DispatchQueue = DispatchQueue(label: "kiteq.gatekeeper"), queueLimit: Int = limits.all,
        addressLimit: Int = limits.ofAddress, groupLimit: Int = limits.ofGroup, rememberedLimit: Int = 10_000,
        clock: any ProcessClock
    ) {
        self.clock = clock
        state = Mutex(
            State(queue: GateQueue(.init(all: queueLimit, ofAddress: addressLimit, ofGroup: groupLimit))))
        self.thread = thread
        self.rememberedLimit = rememberedLimit
    }

    /// The verdict, where it is found at once; else nil, and `later` is called with it, on a thread of its own, unless the visitor
    /// has left.
    func judge(
        _ visitor: Visitor, by rules: AccessRules, later: @escaping @Sendable (Verdict) -> Void
    ) -> Verdict? {
        if rules.isOpen(visitor.group) { return .admitted(.anyone) }
        let waiter = Waiter(
            key: key(visitor, rules),
            origin: GateOrigin(
                network: InternetAddress.network(ofPlace: visitor.address), address: visitor.address,
                group: visitor.group),
            visitor: visitor, rules: rules, hear: later)
        let isFree = rules.price(of: visitor.group) == 0
        let (verdict, pushedOut, isToStart) = state.withLock { state -> (Verdict?, [Waiter], Bool) in
            let now = clock.monotonic()
            if let verdict = state.verdict(on: waiter, isFree: isFree, now: now, upTo: rememberedLimit) {
                return (verdict, [], false)
            }
            let pushedOut = state.queue.add(waiter, now: now)
            defer { state.isWorking = true }
            return (nil, pushedOut, !state.isWorking)
        }
        for waiter in pushedOut { waiter.hear(.busy) }
        if isToStart { thread.async { self.work() } }
        return verdict
    }

    private func work() {
        while true {
            switch state.withLock({ $0.next(now: clock.monotonic()) }) {
            case .judge(let waiter): judge(waiter)
            case .rest(let time):
                let wait = max(0, time - clock.monotonic())
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

    private func judge(_ waiter: Waiter) {
        let admittance = waiter.admittance()
        let waiters = state.withLock { state in
            state.learn(admittance, of: waiter, now: clock.monotonic(), upTo: rememberedLimit)
            // The same is asked for from elsewhere: these have their answer, too.
            return state.queue.answered(waiter.key)
        }
        for waiter in waiters where waiter.isWaiting { waiter.hear(admittance.map(Verdict.admitted) ?? .refused) }
    }

    /// Of the certificate only whether it is the group's counts: clients of one group may each have their own.
    private func key(_ visitor: Visitor, _ rules: AccessRules) -> Key {
        let shows = rules.isShown(visitor.certificate, by: visitor.group)
        var bytes: [UInt8] = [shows ? 1 : 0]
        for part in [visitor.group.text, visitor.secret] {
            bytes += part.utf8
            bytes.append(0xFF)  // No text holds it: parts do not run together.
        }
        return SHA256.authenticationCode(of: bytes, key: salt)
    }
}

extension Gatekeeper.State {
    /// What is known without a comparison that takes long; nil where that has to be done.
    fileprivate mutating func verdict(
        on waiter: Gatekeeper.Waiter, isFree: Bool, now: MonotonicTime, upTo limit: Int
    ) -> Gatekeeper.Verdict? {
        let (visitor, mayTry) = (waiter.visitor, queue.pauseEnds(waiter.origin))
        if let known = remembered[waiter.key],
            waiter.rules.stillAdmits(visitor.group, .secret(known), certificate: visitor.certificate),
            mayTry <= now || places.contains(.init(key: waiter.key, address: visitor.address))
        {
            remember(known, of: waiter, upTo: limit)
            return .admitted(.secret(known))
        }
        if mayTry > now { return visitor.isInHaste ? .paused(until: mayTry) : nil }
        guard isFree else { return nil }
        // Two hashes: no work for another thread.
        let admittance = waiter.admittance()
        learn(admittance, of: waiter, now: now, upTo: limit)
        return admittance.map(Gatekeeper.Verdict.admitted) ?? .refused
    }

    /// Takes what came of a comparison.
    fileprivate mutating func learn(
        _ admittance: AccessRules.Admittance?, of waiter: Gatekeeper.Waiter, now: MonotonicTime, upTo limit: Int
    ) {
        if case .secret(let secret)? = admittance { remember(secret, of: waiter, upTo: limit) }
        if admittance == nil {
            queue.failed(waiter.origin, now: now)
        } else {
            queue.succeeded(waiter.origin)
        }
    }

    /// It starts over rather than grow: nobody is let in by it who would not be without.
    private mutating func remember(_ secret: GroupSecret, of waiter: Gatekeeper.Waiter, upTo limit: Int) {
        let place = Gatekeeper.Place(key: waiter.key, address: waiter.origin.address)
        if remembered[place.key] != secret {
            if remembered.count >= limit { remembered.removeAll() }
            remembered[place.key] = secret
        }
        if places.count >= limit, !places.contains(place) { places.removeAll() }
        places.insert(place)
    }

    /// What is to be done now; where that is nothing, nobody works.
    fileprivate mutating func next(now: MonotonicTime) -> Gatekeeper.Step {
        switch queue.next(now: now) {
        case .now(let waiter): return .judge(waiter)
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
