import Foundation
import HTTPTypes
import KiteQBroker
import KiteQCore
import Testing

@testable import KiteQAdmin

/// Who made a browser, or a proxy, send a request: lines of docs/threat-model.md, over connections of their own.
@Suite(.timeLimit(.minutes(2))) struct AdminSourceThreatTests {
    private static let member = "Authorization: Basic \(Data("s-member:".utf8).base64EncodedString())"
    private static let publisher = "Authorization: Basic \(Data("p:".utf8).base64EncodedString())"
    private static let paid =
        #"{"messages": [{"topic": "trade", "messageType": "paid", "text": "for s-member alone"}]}"#
    private static let pull = #"{"wait": 0.5}"#
    private static let pause = #"{"reason": "x"}"#

    /// Asks over a connection of its own.
    private static func ask(
        _ port: Int, _ line: String, _ headers: [String], body: String? = nil
    ) async throws -> (status: Int?, text: String) {
        let client = try await RawClient.connect(to: port)
        defer { client.close() }
        client.send(
            ([line] + headers + ["Connection: close"]
                + (body.map { ["Content-Type: application/json", "Content-Length: \($0.utf8.count)"] } ?? []))
                .map { "\($0)\r\n" }.joined() + "\r\n" + (body ?? ""))
        try await client.closed()
        let text = client.received
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) }, text)
    }

    // MARK: Foreign names

    /// What a page sends whose name was made to lead here, to every route, with whatever credential it makes up.
    @Test func aForeignNameThatLeadsHereIsRefused() async throws {
        try await AdminFixture.serving { admin in
            let operations = try AdminThreatModelTests.operations()
            let services = admin.services(AccessPolicy(tokens: [AdminFixture.operate], anonymous: .operate))
            try await LiveAdmin.serving(services: services) { port in
                let paths =
                    ["/healthz", "/readyz", "/metrics", "/", "/console/", "/console/main.js"].map { ("get", $0) }
                    + operations.map { ($0.method, $0.path.replacing("{id}", with: String(repeating: "0", count: 32))) }
                let shown = [
                    [], ["Authorization:"], ["Authorization: Bearer"], ["Authorization: Bearer x"], [Self.member],
                    ["Authorization: Basic"], ["Authorization: Digest x"],
                ]
                let heads = paths.filter { $0.0 == "get" }.map { ("head", $0.1) }
                for (method, path) in paths + heads {
                    let path = path.replacing("{group}", with: "s-member").replacing("{topic}", with: "trade")
                    for credential in shown {
                        let answer = try await Self.ask(
                            port, "\(method.uppercased()) \(path) HTTP/1.1",
                            ["Host: evil.example:\(port)"] + credential,
                            body: method == "post" ? Self.pause : nil)
                        #expect([401, 403, 429].contains(answer.status), "\(method) \(path) \(credential)")
                    }
                }
                #expect(try await admin.get("groups/s-member").object()["isPaused"] as? Bool == false)
            }
        }
    }

    @Test func aMessageOfAnotherGroupIsNotPulledByAForeignName() async throws {
        try await AdminFixture.serving { admin in
            try await LiveAdmin.serving(services: admin.openServices) { port in
                let published = try await Self.ask(
                    port, "POST /api/v1/publish HTTP/1.1", ["Host: localhost", Self.publisher], body: Self.paid)
                #expect(published.status == 200)
                for host in [
                    "Host: evil.example", "Host: evil.example\r\nHost: localhost",
                    "Host: localhost\r\nHost: evil.example",
                    "Host: 127.0.0.1.evil.example", "X: y",
                ] {
                    let answer = try await Self.ask(
                        port, "POST /api/v1/pull HTTP/1.1", [host, Self.member], body: Self.pull)
                    #expect(answer.status == 403 || answer.status == 400, "\(host): \(answer.text)")
                }
                let absolute = try await Self.ask(
                    port, "POST http://evil.example/api/v1/pull HTTP/1.1", ["Host: localhost", Self.member],
                    body: Self.pull)
                #expect(absolute.status == 403)
                // By a name of its own it is there.
                for (target, host) in [
                    ("/api/v1/pull", "LOCALHOST.:\(port)"), ("http://localhost/api/v1/pull", "127.0.0.1:\(port)"),
                ] {
                    let answer = try await Self.ask(
                        port, "POST \(target) HTTP/1.1", ["Host: \(host)", Self.member], body: #"{"wait": 5}"#)
                    #expect(answer.status == 200, "\(answer.text)")
                }
            }
        }
    }

    /// A kubelet calls by the address, a scraper may show a token, and a program of HTTP/1.0 names no host at all.
    @Test func probesAndScrapersGoOnWorking() async throws {
        try await AdminFixture.serving { admin in
            let policy = AccessPolicy(tokens: [AdminFixture.read], hosts: ["Kiteq.Example"])
            try await LiveAdmin.serving(services: admin.services(policy)) { port async throws in
                for path in ["/healthz", "/metrics", "/console/"] {
                    for headers in [
                        ["Host: 10.1.2.3:\(port)"], ["Host: [2001:db8::1]:\(port)"], ["Host: kiteq.example"],
                        ["Host: other.example", "Authorization: Bearer r"],
                    ] {
                        #expect(try await Self.ask(port, "GET \(path) HTTP/1.1", headers).status == 200)
                    }
                    #expect(try await Self.ask(port, "GET \(path) HTTP/1.0", []).status == 200)
                    #expect(try await Self.ask(port, "GET \(path) HTTP/1.1", ["Host: other.example"]).status == 403)
                }
            }
        }
    }

    /// A group with a secret has shown who it is, by whatever name it calls.
    @Test func aGroupsSecretIsEnough() async throws {
        let rules = AccessRules(plain: ["s-member": "right"], requiresSecret: true)
        try await AdminFixture.serving(access: rules) { admin in
            try await LiveAdmin.serving(services: admin.openServices) { port in
                let right = "Authorization: Basic \(Data("s-member:right".utf8).base64EncodedString())"
                for headers in [["Host: lb.example"], ["Host: lb.example", "X-Forwarded-For: 203.0.113.5"]] {
                    let answer = try await Self.ask(
                        port, "POST /api/v1/pull HTTP/1.1", headers + [right], body: #"{"wait": 0}"#)
                    #expect(answer.status == 200, "\(answer.text)")
                }
            }
        }
    }

    // MARK: Proxies

    /// A proxy on this machine, as its defaults have it, hands on what somebody elsewhere asks for.
    @Test func whomAProxyHereSendsIsNobody() async throws {
        try await AdminFixture.serving { admin in
            try await LiveAdmin.serving(services: admin.openServices) { port in
                let host = "Host: 127.0.0.1:\(port)"
                for (version, header) in [
                    // nginx, told nothing but proxy_pass.
                    ("1.0", "Accept: */*"), ("1.1", "X-Real-IP: 203.0.113.5"), ("1.1", "Via: 1.1 proxy"),
                    ("1.1", "X-Forwarded-For: 203.0.113.5"), ("1.1", "Forwarded: for=203.0.113.5"),
                    ("1.1", "CF-Connecting-IP: 127.0.0.1"),
                ] {
                    let act = try await Self.ask(
                        port, "POST /api/v1/groups/s-member/pause HTTP/\(version)", [host, header], body: Self.pause)
                    #expect(act.status == 401, "\(header): \(act.text)")
                    #expect(act.text.contains("admin.trusted_proxies"))
                    let look = try await Self.ask(port, "GET /api/v1/session HTTP/\(version)", [host, header])
                    #expect(look.status == 401)
                    let pull = try await Self.ask(
                        port, "POST /api/v1/pull HTTP/\(version)", [host, header, Self.member], body: Self.pull)
                    #expect(pull.status == 403, "\(header): \(pull.text)")
                }
                #expect(try await Self.ask(port, "GET /api/v1/session HTTP/1.1", [host]).status == 200)
            }
            #expect(try await admin.get("groups/s-member").object()["isPaused"] as? Bool == false)
        }
    }

    @Test func behindATrustedProxyTheAuditLogHasTheCaller() async throws {
        let proxies = TrustedProxies([try #require(AddressRange("127.0.0.0/8"))])
        try await AdminFixture.serving { admin in
            let policy = AccessPolicy(tokens: [AdminFixture.operate], anonymousByProxy: .operate, proxies: proxies)
            try await LiveAdmin.serving(services: admin.services(policy)) { port in
                for headers in [["Authorization: Bearer o"], []] {
                    let act = try await Self.ask(
                        port, "POST /api/v1/groups/s-member/resume HTTP/1.1",
                        ["Host: localhost", "X-Forwarded-For: 6.6.6.6, 203.0.113.5"] + headers, body: "{}")
                    #expect(act.status == 200, "\(act.text)")
                }
            }
            let entries = try await admin.get("audit").items()
            #expect(entries.map { $0["actor"] as? String } == ["anonymous", "night"])
            #expect(entries.allSatisfy { $0["remote"] as? String == "203.0.113.5" })
        }
    }
}
