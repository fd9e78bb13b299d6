import KiteQCore
import Testing

@testable import KiteQAdmin
@testable import KiteQBroker

/// What the audit log says was what happened, and to which messages.
@Suite(.timeLimit(.minutes(2))) struct AuditTests {
    private func newest(_ admin: AdminFixture) async throws -> [String: String] {
        let entry = try #require(try await admin.get("audit").items().first)
        return entry.compactMapValues { $0 as? String }
    }

    @Test func whatWasNotDoneIsNotCalledDone() async throws {
        try await AdminFixture.serving { admin async throws in
            #expect(try await admin.post("groups/s-member/resume").status == 200)
            #expect(try await newest(admin)["outcome"] == "nothing done: it was not paused")
            #expect(try await admin.post("groups/s-member/pause", #"{"reason": "x"}"#).status == 200)
            #expect(try await newest(admin)["outcome"] == "done")
            #expect(try await admin.post("groups/s-member/pause", #"{"reason": "y"}"#).status == 200)
            #expect(try await newest(admin)["outcome"] == "nothing done: it was paused already")
            for act in ["requeue", "delete"] {
                #expect(try await admin.post("dead-letters/\(act)", #"{"letters": ["0:99", "1:99"]}"#).status == 200)
                #expect(try await newest(admin)["outcome"] == "nothing done: there is no such dead letter any more")
            }
            #expect(try await admin.post("broker/reload").status == 200)
            #expect(try await newest(admin)["outcome"]?.hasPrefix("nothing done") == true)
        }
    }

    @Test func aGroupThatIsGoneIsUnbound() async throws {
        try await AdminFixture.serving { admin in
            let answer = try await admin.post("groups/s-member/unbind", #"{"reason": "shut down"}"#)
            #expect(answer.status == 200 && answer.text.contains("no longer bound to trade"), "\(answer.text)")
            let entry = try await newest(admin)
            #expect(entry["outcome"] == "done" && entry["detail"]?.contains("trade") == true, "\(entry)")
            // It is bound to nothing once the broker has heard of it.
            var status = 200
            while status == 200 {
                status = try await admin.post("groups/s-member/unbind", #"{"reason": "shut down"}"#).status
            }
            #expect(status == 409)
            #expect(try await admin.post("groups/s-member/unbind", "{}").status == 400)
            #expect(try await admin.post("groups/x/unbind", #"{"reason": "r", "topics": []}"#).status == 400)
        }
    }
}
