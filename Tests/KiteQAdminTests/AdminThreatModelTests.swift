import Foundation
import HTTPTypes
import KiteQBroker
import KiteQCore
import Testing

@testable import KiteQAdmin

/// The lines of docs/threat-model.md that are about the administration.
@Suite struct AdminThreatModelTests {
    /// Every path and method of the document; `{…}` filled in.
    static func operations() throws -> [(method: String, path: String)] {
        var operations: [(String, String)] = []
        var path = ""
        for line in String(decoding: DocumentRoutes.document, as: UTF8.self).split(separator: "\n") {
            if line.hasPrefix("  /api/v1/") { path = String(line.dropFirst(2).dropLast()) }
            if line.hasPrefix("components:") { break }
            for method in ["get", "post"] where line == "    \(method):" { operations.append((method, path)) }
        }
        #expect(operations.count > 25)
        return operations
    }

    private static let messaging: Set<String> = ["publish", "subscribe", "pull", "acknowledge", "refuse"]

    @Test func nothingIsAnsweredWithoutAToken() async throws {
        try await AdminFixture.serving { admin in
            for (method, path) in try Self.operations() where !path.hasSuffix("openapi.yaml") {
                for token in [nil, "wrong"] {
                    let answer =
                        method == "get"
                        ? try await admin.get(path, token: token) : try await admin.post(path, token: token)
                    // After some wrong ones none is looked at for a while.
                    if token != nil, answer.status == 429 {
                        #expect(answer.headers[.retryAfter] != nil)
                        continue
                    }
                    #expect(answer.status == 401, "\(method) \(path)")
                    #expect(answer.headers[.wwwAuthenticate] != nil)
                }
            }
        }
    }

    @Test func whoMayReadMayNotAct() async throws {
        try await AdminFixture.serving { admin in
            for (method, path) in try Self.operations() where method == "post" {
                let name = path.split(separator: "/").last.map(String.init) ?? ""
                if Self.messaging.contains(name) || path.hasSuffix("dead-letters/count") { continue }
                #expect(try await admin.post(path, #"{"reason": "x"}"#, token: "r").status == 403, "\(path)")
            }
            #expect(admin.broker.status?.phase == .serving)
            let refused = try await admin.get("audit").items()
            #expect(
                refused.allSatisfy {
                    ($0["outcome"] as? String)?.hasPrefix("refused: 403 day has the role read") == true
                })
            #expect(refused.allSatisfy { $0["actor"] as? String == "day" && $0["role"] as? String == "read" })
            #expect(refused.count == 9)
        }
    }

    @Test func anOperatorsTokenIsNoGroupsSecret() async throws {
        try await AdminFixture.serving { (admin: AdminFixture) async throws -> Void in
            #expect(try await admin.post("pull", "{}", token: "o").status == 401)
        }
    }

    @Test func aGroupNeedsItsSecretAndItsRights() async throws {
        let rules = AccessRules(
            groups: [
                BindingName("s-member"): GroupAccess(secrets: [.plain("right")]),
                BindingName("p-payment"): GroupAccess(secrets: [.plain("right")], publish: .none),
            ], requiresSecret: true)
        try await AdminFixture.serving(access: rules) { admin in
            for (group, secret) in [("s-member", "wrong"), ("s-member", ""), ("unknown", "right")] {
                let answer = try await admin.post("pull", "{}", group: group, secret: secret)
                #expect(answer.status == 401)
                #expect(
                    try answer.object()["detail"] as? String == "the group is not known here, or its secret is wrong")
            }
            let body = #"{"messages": [{"topic": "trade", "messageType": "paid"}]}"#
            let refused = try await admin.post("publish", body, group: "p-payment", secret: "right").items()
            #expect(refused.first?["outcome"] as? String == "refused")
            #expect((refused.first?["feedback"] as? String)?.contains("may not publish") == true)
        }
    }

    /// A node of the registry stays, and every broker and operator has it before him.
    @Test func nobodySubscribesToWhatIsNotHis() async throws {
        let rules = AccessRules(
            groups: [
                BindingName("s-member"): GroupAccess(
                    secrets: [.plain("right")], subscribe: .only([BindingName("trade"), BindingName("feed")])),
                BindingName("s-spy"): GroupAccess(secrets: [.plain("right")], subscribe: .none),
            ], requiresSecret: true)
        let registry = AdminFixture.known
        try await AdminFixture.serving(access: rules, registry: registry) { admin in
            func subscribe(_ topics: [String], _ group: String) async throws -> AdminFixture.Answer {
                let items = topics.map { #"{"topic": "\#($0)", "messageType": "m"}"# }.joined(separator: ",")
                return try await admin.post(
                    "subscribe", #"{"bindings": [\#(items)]}"#, group: group, secret: "right")
            }
            let invented = (0..<400).map { "junk-\($0)" }
            for topics in [invented, ["trade"], ["trade", "junk"]] {
                let answer = try await subscribe(topics, "s-spy")
                #expect(answer.status == 403)
                #expect((try answer.object()["detail"] as? String)?.contains("may not subscribe") == true)
            }
            // One that is its own, and one that is not: nothing is done by halves.
            #expect(try await subscribe(["trade", "junk"], "s-member").status == 403)
            let elsewhere = try await subscribe(["feed"], "s-member")
            #expect(elsewhere.status == 403)
            #expect((try elsewhere.object()["detail"] as? String)?.contains("does not serve topic feed") == true)
            #expect(admin.broker.bindings.allSatisfy { !["s-spy", "m"].contains($0.group) && $0.messageType != "m" })
            #expect(try await subscribe(["trade"], "s-member").status == 200)
            try await eventually("it is bound") { admin.broker.bindings.contains { $0.messageType == "m" } }
        }
    }

    /// Whatever way it came: an id that is another group's message is told so, and a sender cannot be said.
    @Test func overHTTPAnIDIsOneMessageToo() async throws {
        try await AdminFixture.serving { admin in
            let id = String(repeating: "0a", count: 16)
            func publish(_ group: String, _ text: String, _ more: String = "") async throws -> AdminFixture.Answer {
                try await admin.post(
                    "publish",
                    #"{"messages": [{"id": "\#(id)", "topic": "trade", "messageType": "paid", "text": "\#(text)"\#(more)}]}"#,
                    group: group)
            }
            func outcome(_ answer: AdminFixture.Answer) throws -> [String?] {
                let item = try #require(try answer.items().first)
                return [item["outcome"] as? String, item["feedback"] as? String]
            }
            #expect(try outcome(await publish("s-feed", "squat")) == ["accepted", "stored"])
            #expect(try outcome(await publish("s-feed", "squat")) == ["accepted", "stored before"])
            let refused = try outcome(await publish("s-pay", "mine"))
            #expect(refused == ["refused", "this id is in use for another message: publish under a new id"])
            #expect(try outcome(await publish("s-feed", "other")).first == "refused")
            #expect(try await publish("s-feed", "forged", #", "groupId": "s-pay""#).status == 400)
        }
    }

    @Test func overHTTPAGroupHasItsLimitsToo() async throws {
        let rules = AccessRules(
            groups: [BindingName("s-member"): GroupAccess(limits: OwnGroupLimits(backlog: 100))],
            defaultLimits: GroupLimits(rate: 20))
        try await AdminFixture.serving(access: rules) { admin in
            func publish(_ count: Int, _ group: String) async throws -> [String?] {
                let message = #"{"topic": "trade", "messageType": "paid", "text": "x"}"#
                let messages = Array(repeating: message, count: count).joined(separator: ", ")
                let answer = try await admin.post("publish", #"{"messages": [\#(messages)]}"#, group: group)
                #expect(answer.status == 200)
                return try answer.items().filter { $0["outcome"] as? String == "tryAgain" }.map {
                    $0["feedback"] as? String
                }
            }
            let refused = try await publish(100, "s-pay")
            #expect(refused.count > 70)
            let why = "try again later: group s-pay may publish 20 messages a second (max_rate)"
            #expect(refused.allSatisfy { $0 == why })
            #expect(try await publish(100, "s-pay").count > 70, "each call is of the same account")
            #expect(try await publish(5, "s-feed").isEmpty)
            let limits = try await admin.get("groups/s-member").object()["limits"] as? [String: Int]
            let expected = [
                "maxConnections": 0, "maxRate": 20, "maxBytes": 0, "maxHalfMessages": 0, "maxBacklog": 100,
            ]
            #expect(limits == expected)
        }
    }

    /// A page of another site makes the browser send it; with `text/plain` it would not even have to ask first.
    @Test func requestsFromOtherSitesAreRefused() async throws {
        try await AdminFixture.serving(policy: AccessPolicy(anonymous: .operate)) { admin in
            let own: HTTPFields = [.origin: "http://localhost"]
            #expect(try await admin.get("session", token: nil, headers: own).status == 200)
            for headers: HTTPFields in [
                [.origin: "http://evil.example"], [.origin: "null"], [.secFetchSite: "cross-site"],
            ] {
                #expect(try await admin.get("session", token: nil, headers: headers).status == 403)
                let act = try await admin.post(
                    "groups/s-member/pause", #"{"reason": "x"}"#, token: nil, headers: headers)
                #expect(act.status == 403)
                #expect(act.headers[HTTPField.Name("Access-Control-Allow-Origin")!] == nil)
            }
            let plain = try await admin.post(
                "groups/s-member/pause", #"{"reason": "x"}"#, token: nil, headers: [.contentType: "text/plain"])
            #expect(plain.status == 415)
            #expect(try await admin.get("groups/s-member", token: nil).object()["isPaused"] as? Bool == false)
        }
    }

    @Test func nothingButTheConsolesOwnFilesRuns() async throws {
        try await AdminFixture.serving { admin in
            for path in ["/console/", "/console/main.js", "/api/v1/session", "/nothing", "/metrics"] {
                let answer = try await admin.get(path)
                let policy = answer.headers[HTTPField.Name("Content-Security-Policy")!] ?? ""
                #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "\(path)")
                #expect(answer.headers[HTTPField.Name("X-Content-Type-Options")!] == "nosniff")
                #expect(answer.headers[.setCookie] == nil)
            }
        }
    }

    @Test(arguments: [
        "/console/../AdminServer.swift", "/console/%2e%2e/API/openapi.yaml", "/console/..%2f..%2fetc%2fpasswd",
        "/console//etc/passwd", "/console/main.js%00.css", "/console/.",
    ])
    func noPathLeadsOutOfTheConsole(path: String) async throws {
        try await AdminFixture.serving { admin in
            let answer = try await admin.get(path)
            #expect(answer.status == 404, "\(answer.text.prefix(100))")
        }
    }

    @Test func textsOfMessagesStayText() async throws {
        let script = "</script><img src=x onerror=alert(1)>"
        try await AdminFixture.serving { admin in
            let body = try JSONSerialization.data(withJSONObject: [
                "messages": [["topic": "trade", "messageType": "paid", "text": script, "properties": [script: script]]]
            ])
            let published = try await admin.post("publish", String(decoding: body, as: UTF8.self), group: "p")
            let id = try #require(try published.items().first?["id"] as? String)
            let answer = try await admin.get("messages/\(id)")
            #expect(answer.headers[.contentType] == "application/json")
            let content = try #require(try answer.object()["content"] as? [String: any Sendable])
            #expect(content["body"] as? String == script)
            #expect(content["properties"] as? [String: String] == [script: script])
            #expect(try await admin.get("groups/s-%3Cb%3E").object()["group"] as? String == "s-<b>")
        }
    }

    @Test(arguments: ["' OR 1=1 --", "\"; DROP TABLE kite_message; --", "\\", "%00", "é\u{301}"])
    func sqlInAFieldIsText(text: String) async throws {
        try await AdminFixture.serving { (admin: AdminFixture) async throws -> Void in
            let name = text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            #expect(try await admin.get("messages?topic=\(name)&type=\(name)&group=\(name)").items().isEmpty)
            #expect(try await admin.get("groups/\(name)").status == 404)
            #expect(try await admin.get("dead-letters?group=\(name)").items().isEmpty)
        }
    }

    @Test func aBodyHasItsLimit() async throws {
        try await AdminFixture.serving { (admin: AdminFixture) async throws -> Void in
            let large = #"{"reason": ""# + String(repeating: "x", count: Limits.smallBody) + #""}"#
            #expect(try await admin.post("groups/s-member/pause", large).status == 413)
        }
    }

    @Test func everyActIsWrittenDown() async throws {
        try await AdminFixture.serving { admin in
            let id = String(repeating: "0", count: 32)
            _ = try await admin.post("groups/s-member/pause", #"{"reason": "why"}"#)
            _ = try await admin.post("transactions/\(id)/commit", #"{"reason": "why"}"#)
            _ = try await admin.post("dead-letters/delete", #"{"letters": ["0:1"]}"#)
            let entries = try await admin.get("audit").items()
            #expect(
                entries.map { $0["action"] as? String } == [
                    "deadLetters.delete", "transactions.commit", "groups.pause",
                ])
            #expect((entries[1]["outcome"] as? String)?.hasPrefix("failed: no half message") == true)
            #expect(entries.allSatisfy { $0["actor"] as? String == "night" && $0["role"] as? String == "operate" })
        }
    }

    @Test func secretsAreNotShown() async throws {
        try await AdminFixture.serving { admin in
            let items = try await admin.get("configuration").items()
            #expect(items.map { $0["value"] as? String } == ["(hidden)"])
        }
    }
}
