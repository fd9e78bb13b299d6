import Foundation
import HTTPTypes
import KiteQBroker
import KiteQCore
import Testing

@testable import KiteQAdmin

@Suite struct APITests {
    @Test func aMessageIsPublishedPulledAndAcknowledged() async throws {
        try await AdminFixture.serving { admin in
            let published = try await admin.post(
                "publish",
                #"{"messages": [{"topic": "trade", "messageType": "paid", "text": "grüezi", "properties": {"a": "b"}}, {"topic": "no", "messageType": "x"}]}"#,
                group: "p-payment")
            #expect(published.status == 200)
            let outcomes = try published.items()
            #expect(outcomes.map { $0["outcome"] as? String } == ["accepted", "refused"])
            #expect(outcomes.map { $0["stored"] as? Bool } == [true, false])

            let pulled = try await admin.post("pull", #"{"wait": 20, "visibility": 60}"#, group: "s-member")
            let message = try #require(try pulled.items().first)
            #expect(message["text"] as? String == "grüezi")
            #expect(message["properties"] as? [String: String] == ["a": "b"])
            #expect(message["publisherGroup"] as? String == "p-payment")
            #expect(message["attempt"] as? Int == 1)

            let receipt = try #require(message["receipt"] as? String)
            let body = #"{"receipts": ["\#(receipt)"]}"#
            let foreign = try await admin.post("acknowledge", body, group: "s-other")
            #expect(try foreign.items().first?["outcome"] as? String == "unknown")
            let first = try await admin.post("acknowledge", body, group: "s-member")
            #expect(try first.items().first?["outcome"] as? String == "settled")
            let second = try await admin.post("acknowledge", body, group: "s-member")
            #expect(try second.items().first?["outcome"] as? String == "late")
        }
    }

    @Test func bytesStayBytes() async throws {
        try await AdminFixture.serving { admin in
            _ = try await admin.post(
                "publish", #"{"messages": [{"topic": "trade", "messageType": "paid", "bytes": "AP9h"}]}"#, group: "p")
            let message = try #require(
                try await admin.post("pull", #"{"wait": 20}"#, group: "s-member").items().first)
            #expect(message["bytes"] as? String == "AP9h" && message["text"] == nil)
        }
    }

    @Test func whatWaitsIsSeenFromEverySide() async throws {
        try await AdminFixture.serving { admin in
            let published = try await admin.post(
                "publish", #"{"messages": [{"topic": "trade", "messageType": "paid", "text": "x"}]}"#,
                group: "p-payment")
            let id = try #require(try published.items().first?["id"] as? String)

            let found = try await admin.get("messages?topic=trade&type=paid&state=fresh&group=s-member")
            #expect(try found.items().map { $0["id"] as? String } == [id])
            #expect(try await admin.get("messages?topic=feed").items().isEmpty)

            let story = try await admin.get("messages/\(id)").object()
            let content = try #require(story["content"] as? [String: any Sendable])
            #expect(content["body"] as? String == "x" && content["encoding"] as? String == "text")
            let groups = try #require(story["groups"] as? [[String: any Sendable]])
            #expect(Set(groups.compactMap { $0["group"] as? String }) == ["s-member", "s-<b>"])
            let events = try #require(story["events"] as? [[String: any Sendable]])
            #expect(events.contains { ($0["text"] as? String)?.hasPrefix("accepted") == true })

            let group = try await admin.get("groups/s-member").object()
            #expect((group["waiting"] as? [String: any Sendable])?["count"] as? Int == 1)
            let topics = try await admin.get("topics").items()
            #expect(topics.first { $0["topic"] as? String == "trade" }?["fresh"] as? Int == 1)
            #expect(try await admin.get("messages/\(String(repeating: "0", count: 32))").status == 404)
        }
    }

    @Test func aPausedGroupGetsNothingUntilItIsResumed() async throws {
        try await AdminFixture.serving { admin in
            #expect(try await admin.post("groups/s-member/pause", #"{"reason": "upgrade"}"#).status == 200)
            _ = try await admin.post(
                "publish", #"{"messages": [{"topic": "trade", "messageType": "paid"}]}"#, group: "p")
            #expect(try await admin.post("pull", #"{"wait": 0.3}"#, group: "s-member").items().isEmpty)
            let group = try await admin.get("groups/s-member").object()
            #expect(group["isPaused"] as? Bool == true)
            #expect((group["pause"] as? [String: any Sendable])?["by"] as? String == "night")
            #expect(try await admin.post("groups/s-member/resume").status == 200)
            #expect(try await admin.post("pull", #"{"wait": 20}"#, group: "s-member").items().count == 1)
            let acts = try await admin.get("audit").items()
            #expect(acts.map { $0["action"] as? String } == ["groups.resume", "groups.pause"])
            #expect(acts.map { $0["actor"] as? String } == ["night", "night"])
        }
    }

    @Test func aRefusedMessageDiesAndIsRequeuedByItsCount() async throws {
        try await AdminFixture.serving { admin in
            _ = try await admin.post(
                "publish", #"{"messages": [{"topic": "trade", "messageType": "paid", "deliverLimit": 1}]}"#, group: "p")
            let message = try #require(
                try await admin.post("pull", #"{"wait": 20}"#, group: "s-member").items().first)
            let receipt = try #require(message["receipt"] as? String)
            _ = try await admin.post(
                "refuse", #"{"receipts": ["\#(receipt)"], "reason": "poison"}"#, group: "s-member")
            let filter = #"{"group": "s-member"}"#
            try await eventually("the letter is there") {
                try await admin.post("dead-letters/count", filter).object()["count"] as? Int == 1
            }
            let letter = try #require(try await admin.get("dead-letters?group=s-member").items().first)
            #expect(letter["reason"] as? String == "attempts")
            let id = try #require(letter["letter"] as? String)
            #expect(try await admin.get("dead-letters/\(id)").status == 200)

            let wrong = try await admin.post("dead-letters/requeue", #"{"filter": \#(filter), "count": 2}"#)
            #expect(wrong.status == 409)
            #expect(try wrong.object()["count"] as? Int == 1)
            let right = try await admin.post("dead-letters/requeue", #"{"filter": \#(filter), "count": 1}"#)
            #expect(try right.object()["done"] as? Int == 1)
            #expect(try await admin.post("pull", #"{"wait": 20}"#, group: "s-member").items().count == 1)
        }
    }

    @Test(arguments: [
        "messages?limit=0", "messages?limit=x", "messages?limit=1&limit=2", "messages?state=done", "messages?from=now",
        "messages?what=1", "messages?cursor=x", "messages?cursor=n:1", "groups?cursor=x", "audit?cursor=-1",
        "messages/1", "dead-letters/1", "history?step=1",
        "history?from=2026-01-01T00:00:00Z&until=2025-01-01T00:00:00Z",
        "history?from=1950-01-01T00:00:00Z&until=1950-01-02T00:00:00Z", "history?until=1969-12-31T00:00:00Z",
        "transactions?cursor=1", "dead-letters?reason=none", "connections?cursor=x", "overview?x=1",
    ])
    func whatIsWrongIsSaid(path: String) async throws {
        try await AdminFixture.serving { admin in
            let answer = try await admin.get(path)
            #expect(answer.status == 400, "\(answer.text)")
            #expect(answer.headers[.contentType] == "application/problem+json")
            #expect(try answer.object()["detail"] as? String != nil)
        }
    }

    @Test(arguments: [
        ("publish", "{}"), ("publish", "[]"), ("publish", "{"), ("publish", #"{"messages": []}"#),
        ("publish", #"{"messages": [{"topic": "trade"}]}"#),
        ("publish", #"{"messages": [{"topic": "trade", "messageType": "x", "text": "a", "bytes": "AA=="}]}"#),
        ("publish", #"{"messages": [{"topic": "trade", "messageType": "x", "id": "1"}]}"#),
        ("publish", #"{"messages": [{"topic": "", "messageType": "x"}]}"#),
        ("publish", #"{"messages": [{"topic": "trade", "messageType": "x", "what": 1}]}"#),
        ("publish", #"{"messages": [{"topic": "trade", "messageType": "x", "text": null}]}"#),
        ("acknowledge", #"{"receipts": ["x"], "reason": null}"#), ("pull", #"{"wait": null}"#),
        ("pull", #"{"max": 0}"#), ("pull", #"{"wait": 31}"#), ("pull", #"{"visibility": 0.5}"#),
        ("acknowledge", #"{"receipts": []}"#), ("subscribe", #"{"bindings": [{"topic": "trade"}]}"#),
    ])
    func aBodyThatIsWrongIsSaid(path: String, body: String) async throws {
        try await AdminFixture.serving { admin in
            let answer = try await admin.post(path, body, group: "s-member")
            #expect(answer.status == 400, "\(answer.text)")
            #expect(try answer.object()["detail"] as? String != nil)
        }
    }

    /// Else a script whose variable is empty would have deleted all of them.
    @Test(arguments: [#"{"group": null}"#, #"{"group": ""}"#, #"{"groups": "s-member"}"#])
    func aFilterWithoutItsValueMatchesNothing(filter: String) async throws {
        try await AdminFixture.serving { admin in
            #expect(try await admin.post("dead-letters/count", filter).status == 400)
            let answer = try await admin.post("dead-letters/delete", #"{"filter": \#(filter), "count": 0}"#)
            #expect(answer.status == 400 && answer.text.contains("filter.group"), "\(answer.text)")
        }
    }

    @Test func aHistoryThatBeginsBefore1970IsCutThere() async throws {
        try await AdminFixture.serving { admin in
            let answer = try await admin.get("history?until=1970-01-02T00:00:00Z")
            #expect(answer.status == 200)
        }
    }

    @Test func aReloadThatFailsChangesNothingAndSaysWhy() async throws {
        struct Wrong: Error, CustomStringConvertible { let description = "no such section" }
        try await AdminFixture.serving(reload: { throw Wrong() }) { admin in
            let answer = try await admin.post("broker/reload")
            #expect(answer.status == 409)
            #expect(answer.text.contains("no such section"))
            #expect(
                try await admin.get("audit").items().first?["outcome"] as? String
                    == "failed: nothing was changed: no such section")
        }
    }
}
