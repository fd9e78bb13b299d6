import HTTPTypes
import KiteQBroker
import KiteQCore
import Testing

@testable import KiteQAdmin

@Suite struct AccessPolicyTests {
    private let policy = AccessPolicy(
        tokens: [
            AccessToken(name: "grafana", role: .read, hash: AccessToken.hash(of: "r")),
            AccessToken(name: "night", role: .operate, hash: AccessToken.hash(of: "o"), expiresAt: 1_000),
        ])

    private func admit(
        _ policy: AccessPolicy, _ authorization: String?, host: String? = "localhost", headers: HTTPFields = [:],
        peer: String = "127.0.0.1", now: Int64 = 0
    ) -> Result<Caller, Problem> {
        Result { () throws(Problem) in
            try policy.admit(
                authorization: authorization,
                from: .test(host: host, headers: headers, peer: peer, proxies: policy.proxies), now: now)
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
        "localhost.", "kiteq.example.:443", "KITEQ.EXAMPLE", "[::FFFF:127.0.0.1]", "localhost:",
    ])
    func anybodyIsLetInByANameOfThisBroker(host: String) {
        let open = AccessPolicy(anonymous: .read, hosts: ["KiteQ.example"])
        #expect(try! admit(open, nil, host: host).get() == Caller(name: "anonymous", role: .read))
    }

    /// A page of a foreign name that was made to lead here (DNS rebinding) sends that name.
    @Test(arguments: [
        nil, "", "evil.example", "evil.example:13801", "127.0.0.1.evil.example", "1.2.3", "256.0.0.1",
        "[evil.example]", "[127.0.0.1]", "+1.2.3.4", "127.1", "0x7f.0.0.1", "localhost.evil.example", "localhost..",
        ".",
        "localhost:80@evil.example", "evil.example@localhost", "evil.example#localhost", "localhost,evil.example",
        "localhost evil.example", ":80", "[::1", "::1", "xn--localhost-", "lοcalhost",
    ])
    func anybodyByAForeignNameIsNot(host: String?) {
        let open = AccessPolicy(anonymous: .operate)
        guard case .failure(let problem) = admit(open, nil, host: host) else {
            Issue.record("\(host ?? "no host") was let in")
            return
        }
        #expect(problem.status == .forbidden)
    }

    /// Each name that a request gives must be the broker's own: whichever a browser meant is among them.
    @Test func allNamesCount() {
        let open = AccessPolicy(anonymous: .operate)
        for headers: HTTPFields in [
            [.furtherHost: "evil.example"], [.furtherHost: "localhost, evil.example"], [.furtherHost: ""],
        ] {
            guard case .failure(let problem) = admit(open, nil, headers: headers) else {
                Issue.record("\(headers) was let in")
                continue
            }
            #expect(problem.status == .forbidden && problem.refusal == .host)
        }
        #expect(try! admit(open, nil, headers: [.furtherHost: "127.0.0.1:1"]).get().role == .operate)
    }

    @Test func whoHasATokenMayComeByAnyName() throws {
        #expect(try admit(policy, "Bearer r", host: "lb.internal").get().name == "grafana")
    }

    // MARK: Proxies

    static let traces = [
        "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "x-forwarded",
        "X-Forwarded-Client-Cert",
        "Via", "X-Real-IP", "X-Original-Forwarded-For", "X-Original-URI", "CF-Connecting-IP", "CF-Ray",
        "True-Client-IP",
        "X-Client-IP", "X-Cluster-Client-IP", "Client-IP", "Fastly-Client-IP", "X-Envoy-External-Address",
        "X-Azure-ClientIP", "X-ARR-LOG-ID", "X-Amz-Cf-Id", "X-Varnish", "CDN-Loop", "Forwarded-For", "X-Scheme",
    ]

    /// On loopback anybody operates; who comes through a proxy on loopback is not anybody on this machine.
    @Test(arguments: traces)
    func whatAProxyHandedOnIsNotAnybodys(header: String) throws {
        let name = try #require(HTTPField.Name(header))
        for value in ["", "127.0.0.1", "localhost", "for=127.0.0.1"] {
            let open = AccessPolicy(anonymous: .operate)
            guard case .failure(let problem) = admit(open, nil, headers: [name: value]) else {
                Issue.record("\(header): \(value) was let in")
                continue
            }
            #expect(problem.refusal == .proxy || problem.refusal == .host)
            let source = RequestSource.test(headers: [name: value])
            #expect(throws: Problem.self) { try open.checkOpenGroup(source) }
        }
        #expect(try admit(policy, "Bearer r", headers: [name: "203.0.113.5"]).get().role == .read)
    }

    @Test func whatATrustedProxyHandsOnHasWhatWasSaid() throws {
        let proxies = TrustedProxies([try #require(AddressRange("127.0.0.1"))])
        let headers: HTTPFields = [.xForwardedFor: "203.0.113.5"]
        let byPlace = AccessPolicy(anonymous: .operate, proxies: proxies)
        #expect(throws: Problem.self) { try admit(byPlace, nil, headers: headers).get() }
        let said = AccessPolicy(
            anonymous: .operate, anonymousByProxy: .read, opensGroupsByProxy: true, proxies: proxies)
        #expect(try admit(said, nil, headers: headers).get().role == .read)
        #expect(try admit(said, nil).get().role == .operate)
        #expect(throws: Problem.self) { try admit(said, nil, headers: headers, peer: "127.0.0.2").get() }
        // The name by which it was called counts where the proxy tells it.
        let foreign: HTTPFields = [.xForwardedFor: "203.0.113.5", .xForwardedHost: "evil.example"]
        #expect(throws: Problem.self) { try admit(said, nil, headers: foreign).get() }
        try said.checkOpenGroup(.test(headers: headers, proxies: proxies))
        #expect(throws: Problem.self) { try byPlace.checkOpenGroup(.test(headers: headers, proxies: proxies)) }
        #expect(throws: Problem.self) { try said.checkOpenGroup(.test(headers: foreign, proxies: proxies)) }
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
