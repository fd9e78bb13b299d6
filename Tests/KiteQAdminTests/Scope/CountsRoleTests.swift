import Foundation
import KiteQCore
import Testing

@testable import KiteQAdmin

/// The role that sees counts, names and states: lines of docs/threat-model.md.
@Suite(.timeLimit(.minutes(2))) struct CountsRoleTests {
    @Test func rolesAreEachWhatThoseBeforeMay() {
        #expect(Role.allCases.sorted() == [.counts, .read, .operate])
        #expect(!Caller(name: "a", role: .counts).seesContent && Caller(name: "a", role: .read).seesContent)
    }

    @Test func whoCountsSeesNoContent() async throws {
        try await TwoTeams.serving { admin, teams in
            let message =
                #"{"topic": "trade", "messageType": "paid", "text": "gold text", "properties": {"gold": "gold"}}"#
            let published = try await admin.post("publish", #"{"messages": [\#(message)]}"#, group: "p-pay")
            let id = try #require(try published.items().first?["id"] as? String)
            for path in ["messages/\(id)", "messages/\(teams.freshOfOthers)", "dead-letters/\(teams.letterOfOthers)"] {
                let all = try await admin.get(path, token: "r").object()
                let body = try #require(all["content"] as? [String: any Sendable])["body"] as? String
                #expect(body?.hasPrefix("gold") == true, "\(path)")
                let counted = try await admin.get(path, token: "wall")
                #expect(counted.status == 200 && counted.text.contains(#""content":null"#), "\(counted.text)")
                for text in ["gold body", "gold text", "gold error"] {
                    #expect(!counted.text.contains(text), "\(path)")
                }
            }
            let letters = try await admin.get("dead-letters", token: "wall")
            #expect(try letters.items().count == 2 && !letters.text.contains("error"))
            #expect(try await admin.get("dead-letters", token: "r").text.contains("gold error"))
            // What a consumer said of a message that is tried again, too.
            let story = try await admin.get("messages/\(teams.shared)", token: "wall").text
            #expect(!story.contains(#""lastError":""#))
        }
    }

    @Test func whoCountsSeesNamesAndStatesAndDoesNothing() async throws {
        try await TwoTeams.serving { admin, teams in
            for path in [
                "session", "overview", "brokers", "shards", "history", "topics", "groups", "groups/s-vault", "bindings",
                "messages", "messages/\(teams.fresh)", "transactions", "dead-letters", "dead-letters/\(teams.letter)",
            ] {
                #expect(try await admin.get(path, token: "wall").status == 200, "\(path)")
            }
            #expect(try await admin.post("dead-letters/count", "{}", token: "wall").status == 200)
            for path in ["configuration", "connections", "audit"] {
                let answer = try await admin.get(path, token: "wall")
                #expect(answer.status == 403 && answer.text.contains("wall has the role counts; this needs read"))
            }
            for path in ["groups/s-member/resume", "broker/reload", "transactions/\(teams.half)/rollback"] {
                #expect(try await admin.post(path, #"{"reason": "x"}"#, token: "wall").status == 403)
            }
        }
    }
}
