import KiteQAdminClient
import TestSupport
import Testing

@testable import kiteq

/// `kiteq dead-letters`, the built executable, against an administration with three letters of one message.
@Suite(.serialized, .timeLimit(.minutes(3))) struct DeadLetterCommandTests {
    private static let letters = [
        Fixture.letter("0:1"), Fixture.letter("0:2", group: "s-b", reason: "expired"),
        Fixture.letter("0:3", group: "", reason: "undecided"),
    ]

    private static func answer(_ request: FixtureServer.Request) -> FixtureServer.Answer {
        let target = request.target.dropFirst("/api/v1".count)
        switch (request.method, target) {
        case ("GET", "/overview"): return .json(Fixture.overview())
        case ("GET", "/dead-letters/0:1"), ("GET", "/dead-letters/0:2"), ("GET", "/dead-letters/0:3"):
            let letter = letters[Int(String(target.last ?? "1")).map { $0 - 1 } ?? 0]
            return .json(#"{"deadLetter": \#(letter), "content": \#(Fixture.content)}"#)
        case ("GET", "/messages/\(Fixture.id)"):
            return .json(
                """
                {"message": null, "content": null, "groups": [], "transaction": null, "events": [],
                 "deadLetters": [\(letters.joined(separator: ","))]}
                """)
        case ("GET", _) where target.hasPrefix("/dead-letters?"):
            return .json(Fixture.page(letters, next: target.contains("limit=3") ? "c-1" : nil))
        case ("POST", "/dead-letters/count"): return .json(#"{"count": 1234, "isAtLeast": false}"#)
        case ("POST", "/dead-letters/requeue") where request.body.contains(#""count":12,"#):
            return .problem(
                #"{"title": "Conflict", "status": 409, "detail": "3 match now, not 12", "count": 3}"#, status: 409)
        case ("POST", "/dead-letters/requeue") where request.body.contains("0:2"):
            return .json(
                #"{"done": 1, "skipped": [{"letter": "0:2", "reason": "it is under\nway"}]}"#
                    .replacing("\n", with: "\\n"))
        case ("POST", "/dead-letters/requeue"), ("POST", "/dead-letters/delete"):
            return .json(#"{"done": 3, "skipped": []}"#)
        default: return .problem(#"{"title": "Not found", "status": 404, "detail": "no such thing"}"#, status: 404)
        }
    }

    private func ask(
        _ arguments: [String], _ check: (CommandProcess.Outcome, [FixtureServer.Request]) throws -> Void
    ) async throws {
        try await FixtureServer.with(Self.answer) { server in
            try check(await CommandProcess.ask(server, ["dead-letters"] + arguments, token: "t"), server.requests)
        }
    }

    @Test func theyAreListed() async throws {
        let table = """
            ID   DIED                      GROUP  TOPIC/TYPE  REASON     ATTEMPTS  MESSAGE ID                        LAST ERROR
            0:1  2026-01-31T09:29:00.000Z  s-a    trade/paid  attempts          7  0123456789abcdef0123456789abcdef  no answer\\nin time
            0:2  2026-01-31T09:29:00.000Z  s-b    trade/paid  expired           7  0123456789abcdef0123456789abcdef  no answer\\nin time
            0:3  2026-01-31T09:29:00.000Z  -      trade/paid  undecided         7  0123456789abcdef0123456789abcdef  no answer\\nin time

            """
        try await ask([]) { outcome, requests in
            #expect(outcome.status == 0 && outcome.output == table && outcome.error == "")
            #expect(requests.map(\.target) == ["/api/v1/dead-letters?limit=100"])
            #expect(requests[0].header("Authorization") == "Bearer t")
        }
        try await ask(["list", "--json", "--limit", "3", "--group", "s-a", "--newer-than", "1h"]) { outcome, requests in
            let objects = try outcome.objects()
            #expect(objects.map { $0["letter"] as? String } == ["0:1", "0:2", "0:3"])
            #expect(outcome.error == "kiteq: there may be more: --after c-1\n" && outcome.status == 0)
            #expect(
                requests.last?.target
                    == "/api/v1/dead-letters?group=s-a&from=2026-01-31T08:30:00%2E000Z&limit=3")
        }
    }

    @Test func oneIsShown() async throws {
        try await ask(["show", "0:1"]) { outcome, _ in
            #expect(outcome.status == 0)
            #expect(outcome.output.hasPrefix("dead letter  0:1\nmessage id   \(Fixture.id)\n"))
            #expect(outcome.output.contains("\nlast error   no answer\\nin time\n"))
            #expect(
                outcome.output.hasSuffix(
                    "\nproperty  order = 17\nbody      text, 1,234 bytes\n{\"order\":17}\\x1b[2J\n"))
        }
        try await ask(["show", Fixture.id.uppercased(), "--group", "s-b", "--json"]) { outcome, _ in
            let objects = try outcome.objects()
            #expect(objects.count == 1)
            #expect((objects.first?["deadLetter"] as? [String: Any])?["letter"] as? String == "0:2")
        }
        try await ask(["show", "9:9"]) { outcome, _ in
            #expect(outcome.status == 1 && outcome.output == "" && outcome.error == "kiteq: no such thing\n")
        }
        try await ask(["show", String(repeating: "0", count: 32)]) { outcome, _ in
            #expect(outcome.status == 1 && outcome.error.hasPrefix("kiteq: there is no dead letter 0000"))
        }
    }

    @Test func theyAreActedOnByTheirIDs() async throws {
        try await ask(["delete", "0:1", Fixture.id]) { outcome, requests in
            #expect(outcome.status == 0 && outcome.output == "3 deleted\n")
            #expect(requests.last?.body == #"{"letters":["0:1","0:2","0:3"]}"#)
        }
        try await ask(["requeue", "0:1", "0:2"]) { outcome, _ in
            #expect(outcome.status == 1 && outcome.output == "0:2 not requeued: it is under\\nway\n1 requeued\n")
            #expect(outcome.error == "kiteq: 1 of 2 dead letters were not requeued\n")
        }
        try await ask(["requeue", "0:1", "0:2", "--json"]) { outcome, _ in
            let objects = try outcome.objects()
            #expect(objects.first?["done"] as? Int == 1 && outcome.status == 1)
        }
        try await ask(["delete", "0:1", String(repeating: "0", count: 32)]) { outcome, requests in
            #expect(outcome.status == 1 && outcome.error.hasPrefix("kiteq: there is no dead letter 0000"))
            #expect(!requests.contains { $0.method == "POST" })
        }
    }

    @Test func manyAreActedOnWithTheirCount() async throws {
        try await ask(["count", "--all-of-them"]) { outcome, _ in #expect(outcome.status == 64) }
        try await ask(["count", "--topic", "trade"]) { outcome, requests in
            #expect(outcome.status == 0 && outcome.output == "1,234\n")
            #expect(requests.last?.body == #"{"topic":"trade"}"#)
        }
        try await ask(["requeue", "--topic", "trade"]) { outcome, requests in
            #expect(outcome.status == 64 && outcome.error.contains("--yes --expect N"))
            #expect(!requests.contains { $0.target.hasSuffix("/requeue") })
        }
        try await ask(["requeue", "--all", "--yes", "--expect", "12"]) { outcome, _ in
            #expect(outcome.status == 1 && outcome.error == "kiteq: 3 match now, not 12\n")
        }
        try await ask(["delete", "--reason", "expired", "--yes", "--expect", "3", "--audit-reason", "too old"]) {
            #expect($0.status == 0 && $0.output == "3 deleted\n")
            #expect($1.map(\.body) == [#"{"count":3,"filter":{"reason":"expired"},"reason":"too old"}"#])
        }
    }
}
