import Dispatch
import KiteQCore
import NIOConcurrencyHelpers
import Testing

@testable import KiteQBroker

@Suite(.timeLimit(.minutes(1))) struct GatekeeperTests {
    private let group = BindingName("s-a")

    private func rules(_ secret: GroupSecret) -> AccessRules {
        AccessRules(groups: [group: GroupAccess(secrets: [secret])], requiresSecret: true)
    }

    private func visitor(
        _ secret: String, from address: String = "10.0.0.1", of group: String = "s-a",
        isWaiting: @escaping @Sendable () -> Bool = { true }
    ) -> Gatekeeper.Visitor {
        .init(group: BindingName(group), secret: secret, address: address, isWaiting: isWaiting)
    }

    private func verdict(_ gatekeeper: Gatekeeper, _ rules: AccessRules, _ secret: String) async -> Gatekeeper.Verdict {
        await withCheckedContinuation { continuation in
            let now = gatekeeper.judge(visitor(secret), by: rules) { continuation.resume(returning: $0) }
            if let now { continuation.resume(returning: now) }
        }
    }

    /// Verdicts as they come, of a gatekeeper whose thread waits until it is let go.
    private final class Desk: Sendable {
        let gatekeeper: Gatekeeper
        private let mayBegin = DispatchSemaphore(value: 0)
        private let heard = NIOLockedValueBox<[(name: String, verdict: String)]>([])

        init(queueLimit: Int = 1_000, addressLimit: Int = 100) {
            let thread = DispatchQueue(label: "test")
            gatekeeper = Gatekeeper(
                thread: thread, queueLimit: queueLimit, addressLimit: addressLimit, clock: SystemClock())
            thread.async { [mayBegin] in mayBegin.wait() }
        }

        var verdicts: [(name: String, verdict: String)] { heard.withLockedValue { $0 } }

        func judge(_ visitor: Gatekeeper.Visitor, as name: String, by rules: AccessRules) {
            let hear: @Sendable (Gatekeeper.Verdict) -> Void = { [heard] verdict in
                let word =
                    switch verdict {
                    case .admitted: "admitted"
                    case .refused: "refused"
                    case .busy: "busy"
                    case .paused: "paused"
                    }
                heard.withLockedValue { $0.append((name, word)) }
            }
            if let now = gatekeeper.judge(visitor, by: rules, later: hear) { hear(now) }
        }

        func open() { mayBegin.signal() }

        func counts(after count: Int) async -> [String: Int] {
            while verdicts.count < count { await Task.yield() }
            return Dictionary(grouping: verdicts, by: \.verdict).mapValues(\.count)
        }
    }

    @Test func whatIsPlainIsJudgedAtOnce() {
        let rules = rules(.plain("right"))
        let gatekeeper = Gatekeeper(clock: SystemClock())
        let never: @Sendable (Gatekeeper.Verdict) -> Void = { _ in Issue.record("it was judged already") }
        guard case .admitted? = gatekeeper.judge(visitor("right"), by: rules, later: never),
            case .refused? = gatekeeper.judge(visitor("wrong"), by: rules, later: never)
        else { return #expect(Bool(false)) }
    }

    @Test func whatWasRightIsRememberedUntilItIsRightNoMore() async {
        let gatekeeper = Gatekeeper(clock: SystemClock())
        let before = rules(.hashed(SecretHash(of: "right", rounds: 1_000)))
        guard case .admitted = await verdict(gatekeeper, before, "right") else { return #expect(Bool(false)) }
        let again = gatekeeper.judge(visitor("right"), by: before) { _ in
            Issue.record("it was known")
        }
        guard case .admitted? = again else { return #expect(Bool(false)) }
        // The same secret, hashed anew: what is remembered is of the other one.
        let after = rules(.hashed(SecretHash(of: "other", rounds: 1_000)))
        guard case .refused = await verdict(gatekeeper, after, "right") else { return #expect(Bool(false)) }
        guard case .refused = await verdict(gatekeeper, before, "wrong") else { return #expect(Bool(false)) }
    }

    @Test func thoseOfOneSecretAreOneAndTheOthersAreBounded() async {
        let desk = Desk(queueLimit: 3)
        let rules = rules(.hashed(SecretHash(of: "right", rounds: 1_000)))
        for _ in 0..<20_000 { desk.judge(visitor("right"), as: "right", by: rules) }
        for number in 0..<5 { desk.judge(visitor("wrong \(number)"), as: "wrong", by: rules) }
        #expect(desk.verdicts.count == 3 && desk.verdicts.allSatisfy { $0 == ("wrong", "busy") })
        desk.open()
        #expect(await desk.counts(after: 20_005) == ["admitted": 20_000, "refused": 2, "busy": 3])
    }

    /// 300 greetings of one address, in as many names: another address waits for one of them.
    @Test func oneAddressDoesNotHoldUpAnother() async {
        let desk = Desk(addressLimit: 300)
        let rules = rules(.hashed(SecretHash(of: "right", rounds: 1_000)))
        for number in 0..<300 {
            desk.judge(visitor("wrong", from: "10.6.6.6", of: "nobody-\(number)"), as: "attacker", by: rules)
        }
        desk.judge(visitor("right"), as: "client", by: rules)
        desk.open()
        #expect(await desk.counts(after: 301) == ["refused": 300, "admitted": 1])
        #expect(desk.verdicts.prefix(2).contains { $0 == ("client", "admitted") })
    }

    /// Nor one group another from the same address.
    @Test func oneGroupDoesNotHoldUpAnother() async {
        let desk = Desk()
        let hash = GroupSecret.hashed(SecretHash(of: "right", rounds: 1_000))
        let rules = AccessRules(
            groups: [group: GroupAccess(secrets: [hash]), BindingName("s-b"): GroupAccess(secrets: [hash])],
            requiresSecret: true)
        for number in 0..<50 { desk.judge(visitor("wrong \(number)"), as: "attacker", by: rules) }
        #expect(
            desk.verdicts.count == 42 && desk.verdicts.allSatisfy { $0.verdict == "busy" }, "few are guessed at a time")
        desk.judge(visitor("right", of: "s-b"), as: "client", by: rules)
        desk.open()
        _ = await desk.counts(after: 44)
        #expect(desk.verdicts[42...43].contains { $0 == ("client", "admitted") })
    }

    /// Nor does a site that has a /48 of addresses.
    @Test func oneNetworkDoesNotHoldUpAnother() async throws {
        let desk = Desk()
        let rules = rules(.hashed(SecretHash(of: "right", rounds: 1_000)))
        for number in 0..<300 {
            let address = try #require(InternetAddress("2001:db8:7:\(String(number, radix: 16))::1"))
            desk.judge(visitor("wrong", from: address.place, of: "nobody-\(number)"), as: "attacker", by: rules)
        }
        let address = try #require(InternetAddress("2001:db8:8::1"))
        desk.judge(visitor("right", from: address.place), as: "client", by: rules)
        desk.open()
        _ = await desk.counts(after: 2)
        #expect(desk.verdicts.prefix(2).contains { $0 == ("client", "admitted") })
    }

    /// Each has its own certificate: the group's name in it is all that is asked for.
    @Test func certificatesOfOneGroupAreOneCase() async {
        let desk = Desk()
        let access = GroupAccess(
            secrets: [.hashed(SecretHash(of: "right", rounds: 1_000))], certificate: "members.example")
        let rules = AccessRules(groups: [group: access], requiresSecret: true)
        for number in 0..<50 {
            var client = visitor("right")
            client.certificate = ["host-\(number).example"] + (number < 40 ? ["members.example"] : [])
            desk.judge(client, as: number < 40 ? "member" : "stranger", by: rules)
        }
        desk.open()
        #expect(await desk.counts(after: 50) == ["admitted": 40, "refused": 10])
        #expect(desk.verdicts.allSatisfy { ($0.name == "member") == ($0.verdict == "admitted") })
    }

    // MARK: Over HTTP

    @Test func aVerdictIsNotWaitedForWithoutEnd() async {
        let wait = VerdictWait()
        if await wait.verdict(within: .milliseconds(1), SystemClock()) != nil { Issue.record("nobody gave one") }
        #expect(wait.isOver)
        wait.end(.refused)
        if await wait.verdict(within: .seconds(60), SystemClock()) != nil {
            Issue.record("what comes late is nobody's")
        }
        let other = VerdictWait()
        other.end(.refused)
        guard case .refused? = await other.verdict(within: .seconds(60), SystemClock()) else {
            return #expect(Bool(false))
        }
    }

    @Test func whoHasLeftIsNotWorkedFor() async {
        let desk = Desk()
        let rules = rules(.hashed(SecretHash(of: "right", rounds: 1_000)))
        for number in 0..<90 {
            desk.judge(visitor("wrong \(number)", isWaiting: { false }), as: "gone", by: rules)
        }
        desk.judge(visitor("right", from: "10.0.0.2"), as: "client", by: rules)
        desk.judge(visitor("wrong", from: "10.0.0.3"), as: "other", by: rules)
        desk.open()
        #expect(await desk.counts(after: 2) == ["admitted": 1, "refused": 1])
        #expect(!desk.verdicts.contains { $0.name == "gone" })
    }

    /// One right secret, from two addresses, is found out once, and each has its answer.
    @Test func theSameFromElsewhereIsAnsweredWithIt() async {
        let desk = Desk()
        let rules = rules(.hashed(SecretHash(of: "right", rounds: 1_000)))
        for address in ["10.0.0.1", "10.0.0.2", "10.0.0.1"] {
            desk.judge(visitor("right", from: address), as: address, by: rules)
        }
        desk.open()
        #expect(await desk.counts(after: 3) == ["admitted": 3])
    }

    /// Whoever fails again and again has to wait, and still has his answer in the end.
    @Test func failuresMakeOneWait() async {
        let gatekeeper = Gatekeeper(clock: SystemClock())
        let rules = rules(.hashed(SecretHash(of: "right", rounds: 1_000)))
        for number in 0..<4 {
            guard case .refused = await verdict(gatekeeper, rules, "wrong \(number)") else {
                return #expect(Bool(false))
            }
        }
        guard case .admitted = await verdict(gatekeeper, rules, "right") else { return #expect(Bool(false)) }
    }

    private func judged(_ gatekeeper: Gatekeeper, _ rules: AccessRules, _ visitor: Gatekeeper.Visitor) async -> String {
        var visitor = visitor
        visitor.isInHaste = true
        let verdict = await withCheckedContinuation { continuation in
            let now = gatekeeper.judge(visitor, by: rules) { continuation.resume(returning: $0) }
            if let now { continuation.resume(returning: now) }
        }
        return switch verdict {
        case .admitted: "admitted"
        case .refused: "refused"
        case .busy: "busy"
        case .paused: "paused"
        }
    }

    /// Guesses have their pauses however the secret is kept, and whoever is in haste is told of them.
    @Test(arguments: [true, false])
    func guessesAreNotLookedAtDuringAPause(isPlain: Bool) async {
        let gatekeeper = Gatekeeper(clock: SystemClock())
        let rules = rules(isPlain ? .plain("right") : .hashed(SecretHash(of: "right", rounds: 1_000)))
        var verdicts: [String] = []
        for number in 0..<200 { verdicts.append(await judged(gatekeeper, rules, visitor("wrong \(number)"))) }
        #expect(verdicts.prefix(3) == ["refused", "refused", "refused"])
        #expect(verdicts.count { $0 == "refused" } <= 6)
        #expect(await judged(gatekeeper, rules, visitor("right")) == "paused", "not even the right one is")
        #expect(await judged(gatekeeper, rules, visitor("right", from: "10.0.0.2")) == "admitted")
        // It is remembered now; at the address of the guesses that is no answer to a guess.
        #expect(await judged(gatekeeper, rules, visitor("right")) == "paused")
    }

    /// A client that was let in before does not suffer from guesses beside it.
    @Test(arguments: [true, false])
    func whatWasRightFromThereIsLetInDuringAPause(isPlain: Bool) async {
        let gatekeeper = Gatekeeper(clock: SystemClock())
        let rules = rules(isPlain ? .plain("right") : .hashed(SecretHash(of: "right", rounds: 1_000)))
        #expect(await judged(gatekeeper, rules, visitor("right")) == "admitted")
        for number in 0..<20 { _ = await judged(gatekeeper, rules, visitor("wrong \(number)")) }
        #expect(await judged(gatekeeper, rules, visitor("wrong")) == "paused")
        #expect(await judged(gatekeeper, rules, visitor("right")) == "admitted")
    }
}
