import HTTPTypes
import KiteQCore
import Testing

@testable import KiteQAdmin

@Suite struct AccessPolicyTests {
    private let policy = AccessPolicy(
        tokens: [
            AccessToken(name: "grafana", role: .read, hash: AccessToken.hash(of: "r")),
            AccessToken(name: "night", role: .operate, hash: AccessToken.hash(of: "o"), expiresAt: 1_000),
        ])

    private func admit(_ policy: AccessPolicy, _ authorization: String?, host: String? = "localhost", now: Int64 = 0)
        -> Result<Caller, Problem>
    {
        Result { () throws(Problem) in
            try policy.admit(authorization: authorization, host: host, now: now)
        }
    }

    @Test func aTokenSaysWhoAndWhat() {
        #expect(try! admit(policy, "Bearer r").get() == Caller(name: "grafana", role: .read))
        #expect(try! admit(policy, "bearer o", now: 999).get() == Caller(name: "night", role: .operate))
    }

    @Test(arguments: [nil, "", "Bearer", "Bearer ", "Bearer x", "Bearer R", "Bearer r ", "Basic r", "r"])
    func anythingElseIsNobody(authorization: String?) {
        #expect(throws: Problem.self) { try admit(policy, authorization).get() }
        if case .failure(let problem) = admit(policy, authorization) { #expect(problem.status == .unauthorized) }
    }

    @Test func aTokenEndsWithItsTime() {
        guard case .failure(let problem) = admit(policy, "Bearer o", now: 1_000) else {
            Issue.record("an expired token was let in")
            return
        }
        #expect(problem.status == .unauthorized && problem.detail.contains("expired"))
    }

    @Test func aWrongTokenIsNotAnybody() {
        // Who shows a token means it: to let them in as anybody would hide that it is wrong.
        let open = AccessPolicy(tokens: policy.tokens, anonymous: .operate)
        #expect(throws: Problem.self) { try admit(open, "Bearer wrong").get() }
    }

    @Test(arguments: [
        "localhost", "LOCALHOST:13801", "127.0.0.1", "127.0.0.1:13801", "[::1]:13801", "kiteq.example:443",
    ])
    func anybodyIsLetInByANameOfThisBroker(host: String) {
        let open = AccessPolicy(anonymous: .read, hosts: ["KiteQ.example"])
        #expect(try! admit(open, nil, host: host).get() == Caller(name: "anonymous", role: .read))
    }

    /// A page of a foreign name that was made to lead here (DNS rebinding) sends that name.
    @Test(arguments: [nil, "", "evil.example", "evil.example:13801", "127.0.0.1.evil.example", "1.2.3", "256.0.0.1"])
    func anybodyByAForeignNameIsNot(host: String?) {
        let open = AccessPolicy(anonymous: .operate)
        guard case .failure(let problem) = admit(open, nil, host: host) else {
            Issue.record("\(host ?? "no host") was let in")
            return
        }
        #expect(problem.status == .forbidden)
    }

    @Test func whoHasATokenMayComeByAnyName() throws {
        #expect(try admit(policy, "Bearer r", host: "lb.internal").get().name == "grafana")
    }

    @Test func theHashIsSHA256() {
        let digits = AccessToken.hash(of: "abc").map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
            .joined()
        #expect(digits == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
}

@Suite struct CrossSiteRuleTests {
    @Test func programsAndOnesOwnPagesPass() {
        #expect(CrossSiteRule.refusal(origin: nil, fetchSite: nil, host: "a:1") == nil)
        #expect(CrossSiteRule.refusal(origin: "http://a:1", fetchSite: "same-origin", host: "a:1") == nil)
        #expect(CrossSiteRule.refusal(origin: "https://A:1", fetchSite: nil, host: "a:1") == nil)
        #expect(CrossSiteRule.refusal(origin: nil, fetchSite: "none", host: "a:1") == nil)
    }

    private static let foreign: [(String?, String?)] = [
        ("http://evil", nil), ("http://a:2", nil), ("null", nil), ("", nil), (nil, "cross-site"), (nil, "same-site"),
        ("http://a:1", "cross-site"), ("a:1", nil),
    ]

    @Test(arguments: foreign)
    func othersDoNot(origin: String?, fetchSite: String?) {
        #expect(CrossSiteRule.refusal(origin: origin, fetchSite: fetchSite, host: "a:1") != nil)
    }

    @Test func anOriginWithoutAHostIsForeign() {
        #expect(CrossSiteRule.refusal(origin: "http://a", fetchSite: nil, host: nil) != nil)
    }
}
