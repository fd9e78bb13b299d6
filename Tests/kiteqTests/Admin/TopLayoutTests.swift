import Foundation
import KiteQAdminClient
import Testing

@testable import kiteq

/// What `kiteq top` shows of answers, in how much room.
@Suite struct TopLayoutTests {
    private func answers(findings: [String] = [], groups: Int = 3) throws -> TopAnswers {
        var answers = TopAnswers()
        let overview = Fixture.overview(findings: findings.joined(separator: ","))
        answers.overview.take(.success(try Fixture.decode(API.Overview.self, overview)))
        answers.groups.take(
            .success(
                try (0..<groups).map {
                    try Fixture.decode(API.Group.self, Fixture.group("s-\($0)", waiting: $0 * 1_000, isPaused: $0 == 1))
                }))
        answers.shards.take(.success(try Fixture.decode(API.ShardList.self, Fixture.shards)))
        answers.brokers.take(.success(try Fixture.decode(API.BrokerList.self, Fixture.brokers())))
        return answers
    }

    private func lines(_ answers: TopAnswers, _ columns: Int? = nil, _ rows: Int? = nil) -> [TopLine] {
        let size = columns.flatMap { columns in rows.map { Terminal.Size(columns: columns, rows: $0) } }
        return TopLayout(answers: answers, address: "http://127.0.0.1:13801").lines(size: size)
    }

    @Test func everythingWhereThereIsNoTerminal() throws {
        #expect(
            lines(try answers()).map(\.text) == [
                "b-1 at 10.0.0.1:13800  serving  up 30m00s  version 0.1.0  2026-01-31T09:30:00.000Z  (http://127.0.0.1:13801)",
                "all is well",
                "a second  published 1,235  delivered 3.2  acknowledged 3.2  failed 0",
                "now       awaiting store 12  in flight 34  queued 5,678  unflushed 9",
                "here      connections 10  groups 2  messages 5,712 (1.2 MiB)  leases 1, the shortest 8.1s",
                "",
                "GROUP  STATE   CLIENTS  BROKERS  IN FLIGHT  QUEUED  WAITING  OLDEST  RETRYING  DEAD  DELIVERED/s  ACKED/s  FAILED/s",
                "s-2    here          2        1          3       4    2,000   2m30s         0     8          1.5      1.5         0",
                "s-1    paused        2        1          3       4    1,000   2m30s         0     8          1.5      1.5         0",
                "s-0    here          2        1          3       4        0   2m30s         0     8          1.5      1.5         0",
                "",
                "SHARD  SERVER         DATABASE  ANSWER  HALF     FRESH  TRACKED  DEAD  OLDEST     ROWS    SIZE  HISTORY  "
                    + "POOL   UNFLUSHED  STATE",
                "    0  MariaDB 10.11  kite_0       1ms     1  100,000+        0     3   1h00m  120,000  32 MiB        -  "
                    + "6 5 0          2  ok",
                "    1  -              -              -     -         -        -     -       -        -       -        -  "
                    + "-              -  away: no answer\\nin 2 s",
                "",
                "BROKER  ADDRESS         STATE  JOINED      LEASES  ENDING IN  GROUPS",
                "b-1 *   10.0.0.1:13800  alive  30m00s ago       2       7.9s  s-a,s-b",
                "b-2     10.0.0.2:13800  gone   1d0h ago         0          -  -",
            ])
    }

    @Test func findingsAreOnTop() throws {
        let findings = [Fixture.finding("critical", "it is\\u001b[2J away"), Fixture.finding("warning", "slow")]
        let lines = lines(try answers(findings: findings))
        #expect(lines[1] == TopLine(#"CRITICAL  shard: it is\x1b[2J away"#, .critical))
        #expect(lines[2] == TopLine("          - look at it", .critical))
        #expect(lines[3] == TopLine("WARNING  shard: slow", .warning))
        #expect(lines[4] == TopLine("         - look at it", .warning))
    }

    /// What to do stands at the end of what is long: there it would be cut off.
    @Test(arguments: [(60, 40), (80, 24), (100, 12)])
    func whatToDoIsShownWhole(columns: Int, rows: Int) throws {
        let text = (1...20).map { "reason\($0)" }.joined(separator: " ")
        let lines = lines(try answers(findings: [Fixture.finding("critical", text)]), columns, rows)
        let shown = lines.filter { $0.style == .critical }.map(\.text).joined(separator: " ")
        for word in ["reason1 ", "reason20", "- look at it"] { #expect(shown.contains(word), "\(lines.map(\.text))") }
        #expect(lines.allSatisfy { DisplayText.width($0.text) <= columns })
    }

    @Test(arguments: [(80, 24), (200, 60), (40, 10), (20, 5), (10, 1), (1, 1)])
    func itFits(columns: Int, rows: Int) throws {
        let findings = (0..<30).map { Fixture.finding($0 == 0 ? "critical" : "warning", "finding \($0)") }
        for groups in [0, 3, 500] {
            let lines = lines(try answers(findings: findings, groups: groups), columns, rows)
            #expect(lines.count <= rows)
            #expect(lines.allSatisfy { DisplayText.width($0.text) <= columns })
        }
    }

    @Test func whatDoesNotFitIsCounted() throws {
        let findings = (0..<30).map { Fixture.finding($0 < 29 ? "warning" : "critical", "finding \($0)") }
        let lines = lines(try answers(findings: findings, groups: 500), 100, 40)
        // A third of the rows, and what is left out is as grave as the gravest of it: each has a line and what to do.
        #expect(lines[13] == TopLine("and 24 more findings", .critical))
        let shown = lines.filter { $0.text.hasPrefix("s-") }.count
        #expect(shown > 5 && lines.contains(TopLine("and \(500 - shown) more")))
        #expect(lines.contains { $0.text.hasPrefix("SHARD") } && lines.contains { $0.text.hasPrefix("BROKER") })
        #expect(lines.count == 40)
    }

    @Test func whatFailedIsSaidAndTheRestStays() throws {
        var answers = try answers()
        answers.groups.take(.failure(AdminClientError("no answer\u{1B}[2J")))
        answers.overview.take(.failure(AdminClientError("gone")))
        let lines = lines(answers)
        #expect(lines[1] == TopLine("gone", .critical))
        #expect(lines.contains(TopLine(#"no answer\x1b[2J"#, .critical)))
        #expect(lines.contains { $0.text.hasPrefix("s-2 ") })
        var nothing = TopAnswers()
        nothing.overview.take(.failure(AdminClientError("gone")))
        #expect(self.lines(nothing).first == TopLine("gone", .critical))
    }

    @Test func coloursAreNotAllThereIs() {
        #expect(TopLine("x", .critical).painted(hasColors: true) == "\u{1B}[1;31mx\u{1B}[0m")
        #expect(TopLine("x", .critical).painted(hasColors: false) == "x")
        #expect(TopLine("x").painted(hasColors: true) == "x")
    }
}
