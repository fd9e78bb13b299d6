import Foundation
import HTTPTypes
import KiteQBroker
import KiteQCore
import Logging
import Synchronization
import Testing

@testable import KiteQAdmin

/// What is refused leaves a trace, and a bounded one: lines of docs/threat-model.md.
@Suite(.timeLimit(.minutes(2))) struct AdminRefusalThreatTests {
    /// Of the page of metrics.
    private static func figure(_ series: String, _ admin: AdminFixture) async throws -> Int? {
        let page = try await admin.get("/metrics", token: nil).text
        return page.split(separator: "\n").first { $0.hasPrefix("\(series) ") }?.split(separator: " ").last
            .flatMap { Int($0) }
    }

    private static let expired = AccessToken(
        name: "old", role: .operate, hash: AccessToken.hash(of: "e"), expiresAt: 1)

    @Test func aRefusedActIsWrittenDown() async throws {
        let policy = AccessPolicy(tokens: [AdminFixture.operate, AdminFixture.read, Self.expired])
        try await AdminFixture.serving(policy: policy) { admin in
            let why = #"{"reason": "x"}"#
            let evil: HTTPFields = [.origin: "http://evil.example"]
            let plain: HTTPFields = [.contentType: "text/plain"]
            for (path, body, token, headers, status, refusal) in [
                ("broker/drain", why, nil, [:], 401, "a token is needed"),
                ("groups/s-member/pause", why, "e", [:], 401, "the token old has expired"),
                ("dead-letters/delete", #"{"letters": ["0:1"]}"#, "wrong", [:], 401, "the token is not known"),
                ("groups/s-member/unbind", why, "r", [:], 403, "day has the role read"),
                ("broker/drain", why, "o", evil, 403, "requests from pages of other sites"),
                ("broker/drain", "{}", "o", [:], 400, "the body lacks reason"),
                ("broker/drain", why, "o", plain, 415, "the body must be JSON"),
                ("broker/reload?x=y", "{}", "o", [:], 400, "the parameter x is not known"),
                ("groups/nobody/pause", why, "o", [:], 404, "no group nobody is known"),
            ] as [(String, String, String?, HTTPFields, Int, String)] {
                let answer = try await admin.post(path, body, token: token, headers: headers)
                #expect(answer.status == status, "\(path): \(answer.text)")
                let entry = try #require(try await admin.get("audit?limit=1").items().first)
                #expect((entry["outcome"] as? String)?.hasPrefix("refused: \(status) \(refusal)") == true, "\(entry)")
                let isKnown = headers[.origin] == nil && ["o", "r"].contains(token)
                #expect(entry["actor"] as? String == (isKnown ? (token == "o" ? "night" : "day") : "nobody"))
                #expect(entry["role"] as? String == (isKnown ? (token == "o" ? "operate" : "read") : "none"))
            }
            let targets = try await admin.get("audit").items().compactMap { $0["target"] as? String }
            #expect(targets == ["nobody", "test", "test", "test", "test", "s-member", "", "s-member", "test"])
            #expect(try await Self.figure(#"kiteq_acts_total{action="broker.drain",outcome="refused"}"#, admin) == 4)
            #expect(admin.broker.status?.phase == .serving)
        }
    }

    /// Neither the table nor the log grows with how often somebody tries.
    @Test func aFloodOfRefusedActsFillsNothing() async throws {
        let lines = Mutex<[String]>([])
        let logger = Logger(label: "test") { _ in LineHandler { line in lines.withLock { $0.append(line) } } }
        try await AdminFixture.serving(logger: logger) { admin in
            for _ in 0..<300 { _ = try await admin.post("broker/drain", #"{"reason": "x"}"#, token: nil) }
            let name = String(repeating: "a", count: 4_000)
            for _ in 0..<50 { _ = try await admin.post("groups/\(name)/pause", #"{"reason": "x"}"#, token: "r") }
            #expect(try await admin.get("audit").items().count == 10)
            #expect(try await Self.figure(#"kiteq_acts_total{action="broker.drain",outcome="refused"}"#, admin) == 300)
            #expect(try await Self.figure(#"kiteq_http_refusals_total{reason="missing"}"#, admin) == 300)
            #expect(try await Self.figure(#"kiteq_http_refusals_total{reason="role"}"#, admin) == 50)
            // An act that is done is written down all the same.
            #expect(try await admin.post("groups/s-member/resume").status == 200)
            #expect(try await admin.get("audit").items().count == 11)
        }
        let refusals = lines.withLock { $0.filter { $0.contains("refusing a request") } }
        #expect(refusals.count == 2, "a line for each kind: \(refusals)")
    }

    @Test func whatWasLeftOutIsSaid() {
        let rows = RefusedActRows()
        let start = ContinuousClock.now
        var (written, told) = (0, 0)
        for address in 0..<20 {
            for _ in 0..<100 {
                guard let left = rows.admit(from: "10.0.0.\(address)", now: start) else { continue }
                written += 1
                told += left
            }
        }
        #expect(written == 60)
        #expect(rows.admit(from: "10.0.0.99", now: start + .seconds(60)) == 1_940 - told)
    }

    /// Guesses over HTTP are counted, logged and slowed down, tokens and secrets alike; who was let in before is not.
    @Test func guessesOverHTTPAreSlowedDown() async throws {
        let rules = AccessRules(plain: ["s-member": "right"], requiresSecret: true)
        let lines = Mutex<[String]>([])
        let logger = Logger(label: "test") { _ in LineHandler { line in lines.withLock { $0.append(line) } } }
        try await AdminFixture.serving(access: rules, logger: logger) { admin in
            let none = #"{"wait": 0}"#
            #expect(try await admin.post("pull", none, group: "s-member", secret: "right").status == 200)
            #expect(try await admin.get("session").status == 200)
            var statuses: [String: Int] = [:]
            for number in 0..<500 {
                let token = try await admin.get("session", token: "guess \(number)")
                let secret = try await admin.post("pull", none, group: "s-member", secret: "guess \(number)")
                statuses["token \(token.status)", default: 0] += 1
                statuses["secret \(secret.status)", default: 0] += 1
                if token.status == 429 { #expect(token.headers[.retryAfter].flatMap { Int($0) } ?? 0 >= 1) }
            }
            for what in ["token", "secret"] {
                let looked = statuses["\(what) 401"] ?? 0
                #expect((3...8).contains(looked) && statuses["\(what) 429"] == 500 - looked, "\(statuses)")
            }
            #expect(try await admin.post("pull", none, group: "s-member", secret: "right").status == 200)
            #expect(try await admin.get("session").status == 200)
            #expect(try await admin.get("session", token: "r").status == 429, "it was not seen here before")
            let counted = try await ["token", "secret", "paused"].asyncReduce { reason in
                try await Self.figure("kiteq_http_refusals_total{reason=\"\(reason)\"}", admin) ?? 0
            }
            #expect(counted == 1_001)
        }
        let refusals = lines.withLock { $0.filter { $0.contains("refusing a request") } }
        #expect(refusals.count == 3, "\(refusals)")
        #expect(!refusals.contains { $0.contains("guess") }, "no secret is logged")
        #expect(refusals.contains { $0.contains("group s-member is not known here, or its secret is wrong") })
    }

    /// What is asked for by others is spelt out in answers, as terminals see them.
    @Test func answersHaveNothingHidden() async throws {
        let hostile = "g\u{9B}2J\u{202E}\u{2028}\u{E0041}\u{7F}"
        try await AdminFixture.serving { admin in
            let name = try #require(hostile.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
            let unknown = try await admin.get("groups/\(name)")
            #expect(unknown.status == 404)
            let detail = try #require(try unknown.object()["detail"] as? String)
            #expect(detail.contains(hostile), "JSON is read back as what it was")
            let body = try JSONSerialization.data(withJSONObject: [
                "messages": [
                    ["topic": "trade", "messageType": "paid", "text": hostile, "properties": [hostile: hostile]]
                ]
            ])
            let published = try await admin.post("publish", String(decoding: body, as: UTF8.self), group: "p")
            let id = try #require(try published.items().first?["id"] as? String)
            let story = try await admin.get("messages/\(id)")
            let parameter = try await admin.get("groups?\(name)=x")
            #expect(parameter.status == 400)
            for answer in [unknown, story, parameter] {
                #expect(!answer.text.unicodeScalars.contains(where: VisibleText.isHidden), "\(answer.text)")
            }
            let content = try #require(try story.object()["content"] as? [String: any Sendable])
            #expect(content["body"] as? String == hostile)
        }
    }
}

extension [String] {
    fileprivate func asyncReduce(_ body: (String) async throws -> Int) async throws -> Int {
        var sum = 0
        for element in self { sum += try await body(element) }
        return sum
    }
}

/// Hands each line, with its metadata, to a test.
private struct LineHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info
    var metadataProvider: Logger.MetadataProvider?
    let take: @Sendable (String) -> Void

    init(_ take: @escaping @Sendable (String) -> Void) { self.take = take }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { take("\(event.message) \(event.metadata ?? [:])") }
}
