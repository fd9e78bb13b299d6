import KiteQCore
import NIOPosix
import Synchronization

/// Finds out whether clients are who they say, away from the event loops where that takes long.
///
/// One comparison at a time, and a bounded number that wait; those of one secret of one group are one. What was found right is
/// remembered, by a key that says nothing about it, so that 20,000 clients that come back at once cost 20,000 look-ups.
final class Gatekeeper: Sendable {
    enum Verdict: Sendable {
        case admitted(AccessRules.Admittance)
        case refused
        /// Too many wait already.
        case busy
    }

    /// HMAC-SHA-256.
    fileprivate typealias Key = [UInt8]

    fileprivate struct Case: Sendable {
        var key: Key
        var group: BindingName
        var secret: String
        var names: [String]
        var rules: AccessRules
    }

    fileprivate struct State {
        var remembered: [Key: GroupSecret] = [:]
        var queue: [Case] = []
        var waiters: [Key: [@Sendable (Verdict) -> Void]] = [:]
        var isWorking = false
    }

    private let state = Mutex(State())
    private let salt = (0..<SHA256.byteCount).map { _ in UInt8.random(in: 0...255) }
    private let pool: NIOThreadPool
    private let queueLimit: Int
    private let rememberedLimit: Int

    init(pool: NIOThreadPool = .singleton, queueLimit: Int = 1_000, rememberedLimit: Int = 10_000) {
        self.pool = pool
        self.queueLimit = queueLimit
        self.rememberedLimit = rememberedLimit
    }

    /// The verdict, where it is found at once; else nil, and `later` is called with it, on a thread of its own.
    func judge(
        _ group: BindingName, secret: String, certificate names: [String], by rules: AccessRules,
        later: @escaping @Sendable (Verdict) -> Void
    ) -> Verdict? {
        if !rules.isCostly || rules.isOpen(group) {
            return rules.admit(group, secret: secret, certificate: names).map(Verdict.admitted) ?? .refused
        }
        let key = self.key(group, secret, names)
        let (verdict, isToStart) = state.withLock { state -> (Verdict?, Bool) in
            if let known = state.remembered[key], rules.stillAdmits(group, .secret(known), certificate: names) {
                return (.admitted(.secret(known)), false)
            }
            if state.waiters[key] == nil {
                guard state.queue.count < queueLimit else { return (.busy, false) }
                state.queue.append(Case(key: key, group: group, secret: secret, names: names, rules: rules))
            }
            state.waiters[key, default: []].append(later)
            defer { state.isWorking = true }
            return (nil, !state.isWorking)
        }
        if isToStart { pool.submit { _ in self.work() } }
        return verdict
    }

    private func work() {
        while let next = state.withLock({ $0.next() }) {
            let admittance = next.rules.admit(next.group, secret: next.secret, certificate: next.names)
            let waiters = state.withLock { state in
                if case .secret(let secret)? = admittance {
                    // It starts over rather than grow: nobody is let in by it who would not be without.
                    if state.remembered.count >= rememberedLimit { state.remembered.removeAll() }
                    state.remembered[next.key] = secret
                }
                return state.waiters.removeValue(forKey: next.key) ?? []
            }
            for waiter in waiters { waiter(admittance.map(Verdict.admitted) ?? .refused) }
        }
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
    /// Nil, and nobody works, where there is nothing to do.
    fileprivate mutating func next() -> Gatekeeper.Case? {
        guard !queue.isEmpty else {
            isWorking = false
            return nil
        }
        return queue.removeFirst()
    }
}
