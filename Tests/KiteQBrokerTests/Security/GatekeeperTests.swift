import Dispatch
import KiteQCore
import NIOConcurrencyHelpers
import NIOPosix
import Testing

@testable import KiteQBroker

@Suite(.timeLimit(.minutes(1))) struct GatekeeperTests {
    private let group = BindingName("s-a")

    private func rules(_ secret: GroupSecret) -> AccessRules {
        AccessRules(groups: [group: GroupAccess(secrets: [secret])], requiresSecret: true)
    }

    private func verdict(_ gatekeeper: Gatekeeper, _ rules: AccessRules, _ secret: String) async -> Gatekeeper.Verdict {
        await withCheckedContinuation { continuation in
            let now = gatekeeper.judge(group, secret: secret, certificate: [], by: rules) {
                continuation.resume(returning: $0)
            }
            if let now { continuation.resume(returning: now) }
        }
    }

    @Test func whatIsPlainIsJudgedAtOnce() {
        let rules = rules(.plain("right"))
        let gatekeeper = Gatekeeper()
        let never: @Sendable (Gatekeeper.Verdict) -> Void = { _ in Issue.record("it was judged already") }
        guard case .admitted? = gatekeeper.judge(group, secret: "right", certificate: [], by: rules, later: never),
            case .refused? = gatekeeper.judge(group, secret: "wrong", certificate: [], by: rules, later: never)
        else { return #expect(Bool(false)) }
    }

    @Test func whatWasRightIsRememberedUntilItIsRightNoMore() async {
        let gatekeeper = Gatekeeper()
        let before = rules(.hashed(SecretHash(of: "right", rounds: 1_000)))
        guard case .admitted = await verdict(gatekeeper, before, "right") else { return #expect(Bool(false)) }
        let again = gatekeeper.judge(group, secret: "right", certificate: [], by: before) { _ in
            Issue.record("it was known")
        }
        guard case .admitted? = again else { return #expect(Bool(false)) }
        // The same secret, hashed anew: what is remembered is of the other one.
        let after = rules(.hashed(SecretHash(of: "other", rounds: 1_000)))
        guard case .refused = await verdict(gatekeeper, after, "right") else { return #expect(Bool(false)) }
        guard case .refused = await verdict(gatekeeper, before, "wrong") else { return #expect(Bool(false)) }
    }

    @Test func thoseOfOneSecretAreOneAndTheOthersAreBounded() async {
        let pool = NIOThreadPool(numberOfThreads: 1)
        let gatekeeper = Gatekeeper(pool: pool, queueLimit: 3)
        let rules = rules(.hashed(SecretHash(of: "right", rounds: 1_000)))
        let verdicts = NIOLockedValueBox<[String: Int]>([:])
        @Sendable func count(_ verdict: Gatekeeper.Verdict) {
            let name =
                switch verdict {
                case .admitted: "admitted"
                case .refused: "refused"
                case .busy: "busy"
                }
            verdicts.withLockedValue { $0[name, default: 0] += 1 }
        }
        pool.start()
        let mayBegin = DispatchSemaphore(value: 0)
        // Nothing is judged yet: the pool's one thread waits.
        pool.submit { _ in mayBegin.wait() }
        for _ in 0..<20_000 {
            #expect(gatekeeper.judge(group, secret: "right", certificate: [], by: rules, later: count) == nil)
        }
        for number in 0..<5 {
            let now = gatekeeper.judge(group, secret: "wrong \(number)", certificate: [], by: rules, later: count)
            if let now { count(now) }
        }
        #expect(verdicts.withLockedValue { $0 } == ["busy": 3], "one right one and two wrong ones wait")
        mayBegin.signal()
        while verdicts.withLockedValue({ $0.values.reduce(0, +) }) < 20_005 { await Task.yield() }
        #expect(verdicts.withLockedValue { $0 } == ["admitted": 20_000, "refused": 2, "busy": 3])
        await #expect(throws: Never.self) { try await pool.shutdownGracefully() }
    }
}
