import HTTPTypes
import KiteQCore
import Testing

@testable import KiteQAdmin

/// Who sees `/metrics`: lines of docs/threat-model.md.
@Suite(.timeLimit(.minutes(1))) struct MetricsAccessTests {
    private static let tokens = [
        AdminFixture.read,
        AccessToken(name: "prometheus", role: .counts, hash: AccessToken.hash(of: "p")),
        AccessToken(
            name: "team", role: .operate, scope: NameScope(topics: [BindingName("trade")]),
            hash: AccessToken.hash(of: "t")),
        AccessToken(name: "old", role: .counts, hash: AccessToken.hash(of: "e"), expiresAt: 1),
    ]

    @Test func theMetricsAreForThoseWithATokenWhereThatIsSaid() async throws {
        // That anybody may do anything else does not open them.
        let policy = AccessPolicy(tokens: Self.tokens, anonymous: .operate, guardsMetrics: true)
        try await AdminFixture.serving(policy: policy) { admin in
            for (token, status, word) in [
                (nil, 401, "admin.metrics"), ("wrong", 401, "not known"), ("e", 401, "expired"),
                ("t", 403, "some topics or groups"), ("p", 200, "kiteq_build_info"), ("r", 200, "kiteq_build_info"),
            ] as [(String?, Int, String)] {
                let answer = try await admin.get("/metrics", token: token)
                #expect(answer.status == status && answer.text.contains(word), "\(token ?? "none"): \(answer.text)")
                if status == 401 { #expect(answer.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true) }
                if status != 200 { #expect(!answer.text.contains("kiteq_")) }
            }
            for probe in ["/healthz", "/readyz"] { #expect(try await admin.get(probe, token: nil).status == 200) }
        }
    }

    @Test func otherwiseTheyAreOpenToWhoCallsTheBrokerByAName() async throws {
        try await AdminFixture.serving(policy: AccessPolicy(tokens: Self.tokens)) {
            (admin: AdminFixture) async throws -> Void in
            #expect(try await admin.get("/metrics", token: nil).status == 200)
        }
    }
}
