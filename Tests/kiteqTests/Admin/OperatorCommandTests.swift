import TestSupport
import Testing

@testable import kiteq

/// The commands for operators, the built executable, against an administration that answers as its document says.
@Suite(.serialized, .timeLimit(.minutes(3))) struct OperatorCommandTests {
    private func ask(
        _ arguments: [String], _ answer: @escaping @Sendable (FixtureServer.Request) -> FixtureServer.Answer,
        _ check: (CommandProcess.Outcome, [FixtureServer.Request]) throws -> Void
    ) async throws {
        try await FixtureServer.with(answer) { server in
            try check(await CommandProcess.ask(server, arguments), server.requests)
        }
    }

    private static let message = """
        {"id": "\(Fixture.id)", "topic": "trade", "messageType": "paid", "publisherGroup": "p-1", "state": "tracked",
         "publishedAt": "2026-01-31T09:28:00.000Z", "acceptedAt": "2026-01-31T09:28:00.010Z", "expiresAt": null,
         "deliverLimit": 100, "shard": 1}
        """

    @Test func groups() async throws {
        let page = Fixture.page([
            Fixture.group("s-a", waiting: 100_000, isAtLeast: true), Fixture.group("s-b", waiting: 0, isPaused: true),
        ])
        let table = """
            GROUP  STATE   CLIENTS  BROKERS  IN FLIGHT  QUEUED   WAITING  OLDEST  RETRYING  DEAD  DELIVERED/s  ACKED/s  FAILED/s
            s-a    here          2        1          3       4  100,000+   2m30s         0     8          1.5      1.5         0
            s-b    paused        2        1          3       4         0   2m30s         0     8          1.5      1.5         0

            """
        try await ask(["groups"], { _ in .json(page) }) { outcome, _ in
            #expect(outcome.status == 0 && outcome.output == table && outcome.error == "")
        }
        try await ask(["groups", "show", "s/a"], { _ in .json(Fixture.group("s/a", waiting: 7)) }) {
            outcome, requests in
            #expect(requests.map(\.target) == ["/api/v1/groups/s%2Fa"])
            #expect(outcome.output.contains("\nwaiting       7, the oldest since 2026-01-31T09:27:30.000Z (2m30s)\n"))
        }
        try await ask(["groups", "pause", "s-a", "--reason", "a move"], { _ in .json(#"{"done": "paused"}"#) }) {
            #expect($0.status == 0 && $0.output == "paused\n")
            #expect($1.map(\.body) == [#"{"reason":"a move"}"#])
        }
        try await ask(["groups", "resume", "s-a", "--json"], { _ in .json(#"{"done": "on"}"#) }) {
            #expect($0.output == "{\"done\":\"on\"}\n")
            #expect($1.map(\.body) == ["{}"])
        }
        try await ask(["groups", "resume", "s-a", "--reason", "moved"], { _ in .json(#"{"done": "on"}"#) }) {
            #expect($0.status == 0)
            #expect($1.map(\.body) == [#"{"reason":"moved"}"#])
        }
    }

    @Test func messages() async throws {
        try await ask(
            ["messages", "search", "--state", "tracked", "--newest"], { _ in .json(Fixture.page([Self.message])) }
        ) { outcome, requests in
            #expect(requests.map(\.target) == ["/api/v1/messages?state=tracked&order=newest&limit=100"])
            #expect(
                outcome.output.split(separator: "\n").last
                    == "\(Fixture.id)  2026-01-31T09:28:00.010Z  trade/paid  tracked  p-1            1  -")
        }
        let story = """
            {"message": \(Self.message), "content": \(Fixture.content), "transaction": {"outcome": "committed", "checks": 2},
             "groups": [{"group": "s-a", "state": "retrying", "attempts": 3, "broker": null, "lastError": "bad\\u001b[2J",
             "dueAt": "2026-01-31T09:31:00.000Z"}], "deadLetters": [\(Fixture.letter("0:1"))],
             "events": [{"at": "2026-01-31T09:28:00.010Z", "text": "accepted", "isExpected": false},
             {"at": "2026-01-31T09:31:00.000Z", "text": "s-a: again", "isExpected": true}]}
            """
        try await ask(["messages", "show", Fixture.id], { _ in .json(story) }) { outcome, _ in
            #expect(outcome.status == 0)
            for words in [
                "\nstate        tracked\n", "\nexpires      never\n", "\ntransaction  committed, asked 2 times\n",
                "\ns-a    retrying  -              3  2026-01-31T09:31:00.000Z  bad\\x1b[2J\n", "\n0:1  2026-01-31T",
                "\n2026-01-31T09:28:00.010Z  accepted\n2026-01-31T09:31:00.000Z  expected: s-a: again\n",
                "\n{\"order\":17}\\x1b[2J\n",
            ] {
                #expect(outcome.output.contains(words), "\(words)")
            }
        }
    }

    @Test func transactionsAreListedAndDecided() async throws {
        let item = """
            {"id": "\(Fixture.id)", "topic": "trade", "messageType": "paid", "publisherGroup": "p-1", "checks": 3, "shard": 2,
             "publishedAt": "2020-01-31T09:28:00.000Z", "nextCheckAt": "2020-01-31T09:30:00.000Z"}
            """
        try await ask(["transactions"], { _ in .json(Fixture.page([item])) }) { outcome, _ in
            #expect(outcome.output.contains("  trade/paid  p-1            3  due       2\n"))
        }
        for (command, path) in [("commit", "commit"), ("rollback", "rollback")] {
            try await ask(
                ["transactions", command, Fixture.id, "--reason", "paid"], { _ in .json(#"{"done": "it is done"}"#) }
            ) { outcome, requests in
                #expect(outcome.status == 0 && outcome.output == "it is done\n")
                #expect(requests.map(\.target) == ["/api/v1/transactions/\(Fixture.id)/\(path)"])
            }
        }
    }

    @Test func theClusterAndTheBroker() async throws {
        try await ask(["shards"], { _ in .json(Fixture.shards) }) { outcome, _ in
            #expect(outcome.status == 0 && outcome.output.contains("  away: no answer\\nin 2 s\n"))
        }
        let topics = """
            {"countedAt": "2026-01-31T09:30:00.000Z", "counted": 4000, "isExact": false, "unreachable": [], "items": [
             {"topic": "trade", "isServed": true, "published": 1, "delivered": 2, "acknowledged": 3, "total": 1000, "half": 0,
              "fresh": 1, "tracked": 2}]}
            """
        try await ask(["topics"], { _ in .json(topics) }) { outcome, _ in
            #expect(outcome.status == 0 && outcome.output.contains("\ntrade  yes "))
            #expect(outcome.output.hasSuffix("Z: 4,000 rows, the oldest and the newest of each shard\n"))
        }
        let entry = """
            {"id": "1", "at": "2026-01-31T09:30:00.000Z", "actor": "ann", "role": "operate", "remote": "10.0.0.9", "action":
             "groups.pause", "target": "s-a\\u001b[2J", "detail": "reason: a move", "outcome": "done"}
            """
        try await ask(["audit", "--limit", "1"], { _ in .json(Fixture.page([entry], next: "1")) }) { outcome, _ in
            #expect(outcome.output.contains("  s-a\\x1b[2J  done     reason: a move\n"))
            #expect(outcome.error == "kiteq: there may be more: --after 1\n")
        }
        try await ask(["drain", "--reason", "update"], { _ in .json(#"{"done": "it ends"}"#, status: 202) }) {
            #expect($0.status == 0 && $0.output == "it ends\n")
            #expect($1.map(\.target) == ["/api/v1/broker/drain"])
        }
        let report = #"{"applied": ["log.level"], "needsRestart": ["broker.bind"]}"#
        try await ask(["reload", "--reason", "a new key"], { _ in .json(report) }) {
            #expect($0.output == "applied: log.level\nneeds a restart: broker.bind\n")
            #expect($1.map(\.body) == [#"{"reason":"a new key"}"#])
        }
    }

    @Test func whatIsMissingIsNoSuccess() async throws {
        let away = #"{"shard": 2, "reason": "timed out\u001b"}"#
        let sentence = "kiteq: shard 2 did not answer (timed out\\x1b): what is there is missing above\n"
        try await ask(["brokers"], { _ in .json(Fixture.brokers(unreachable: away)) }) { outcome, _ in
            #expect(outcome.status == 1 && outcome.error == sentence)
            #expect(outcome.output.contains("\nb-1 *   10.0.0.1:13800  alive "))
        }
        for json in [[], ["--json"]] {
            try await ask(["messages", "search"] + json, { _ in .json(Fixture.page([], unreachable: away)) }) {
                outcome, _ in
                #expect(outcome.status == 1 && outcome.error == sentence)
            }
        }
    }

    @Test func topPrintsOnceWhereThereIsNoTerminal() async throws {
        try await ask(
            ["top"],
            { request in
                switch request.target.dropFirst("/api/v1".count) {
                case "/overview": .json(Fixture.overview(findings: Fixture.finding("critical", "it is away")))
                case "/shards": .json(Fixture.shards)
                case "/brokers": .close
                default: .json(Fixture.page([Fixture.group("s-a", waiting: 7)]))
                }
            }
        ) { outcome, _ in
            #expect(outcome.status == 0 && outcome.error == "" && !outcome.output.contains("\u{1B}"))
            #expect(outcome.output.contains("\nCRITICAL  shard: it is away\n          - look at it\n"))
            #expect(outcome.output.contains("closed the connection without an answer\n"))
            #expect(outcome.output.contains("\ns-a    here "))
        }
        try await ask(["top", "--json"], { _ in .json(Fixture.overview()) }) { outcome, requests in
            let objects = try outcome.objects()
            #expect(objects.count == 1 && requests.count == 1)
        }
        let problem = #"{"title": "Forbidden", "status": 403, "detail": "not with\u001b[2J this role"}"#
        try await ask(["top"], { _ in .problem(problem, status: 403) }) { outcome, _ in
            #expect(outcome.status == 1 && outcome.output == "")
            #expect(outcome.error == "kiteq: not with\\x1b[2J this role\n")
        }
    }

    @Test func whereNobodyIsThereIsOneSentence() async throws {
        let port = try await FixtureServer.with({ _ in .close }) { $0.port }
        let outcome = try CommandProcess.run(["brokers", "--admin", "http://127.0.0.1:\(port)"])
        #expect(outcome.status == 1 && outcome.output == "")
        #expect(outcome.error == "kiteq: http://127.0.0.1:\(port) cannot be reached: Connection refused\n")
        #expect(try CommandProcess.run(["brokers"]).status == 64)
    }
}
