import HTTPTypes
import KiteQCore
import KiteQStore
import Testing

@testable import KiteQAdmin

/// What the administration says of a store that does not do what it is asked.
@Suite(.timeLimit(.minutes(3))) struct TroubleTests {
    @Test(
        arguments: [(.unavailable, 503), (.refusesWrites, 503), (.fenced, 503), (.notMigrated, 500), (.failed, 500)]
            as [(StoreError.Code, Int)])
    func aStoreThatIsAwayIsNoMistakeOfTheBroker(code: StoreError.Code, status: Int) async throws {
        let trouble = TroubledStore.Trouble(story: StoreError(code, "kite@db7 is away"))
        try await AdminFixture.serving(operators: { TroubledStore($0, trouble) }) { admin in
            let answer = try await admin.get("messages/\(String(repeating: "1", count: 32))")
            #expect(answer.status == status)
            #expect(answer.headers[.contentType] == "application/problem+json")
            #expect(answer.text.contains("log has the reason") && !answer.text.contains("db7"), "\(answer.text)")
        }
    }

    @Test func anActThatFailsHalfwaySaysHowFarItCame() async throws {
        let away: Set = [DeadLetterID(shard: 0, number: 3), DeadLetterID(shard: 1, number: 1)]
        try await AdminFixture.serving(operators: { TroubledStore($0, .init(awayLetters: away)) }) { admin in
            func fail(_ act: String, _ letters: String) async throws -> String {
                let answer = try await admin.post("dead-letters/\(act)", #"{"letters": [\#(letters)]}"#)
                #expect(answer.status == 503)
                return try #require(try answer.object()["detail"] as? String)
            }
            let requeued = try await fail("requeue", #""0:1", "0:2", "0:3""#)
            #expect(requeued.hasPrefix("2 of 3 were done, then it failed: it is away"))
            // The shards one by one.
            let deleted = try await fail("delete", #""1:1", "0:1""#)
            #expect(deleted.hasPrefix("1 of 2 were done, then it failed: it is away"))
            #expect(try await fail("requeue", #""0:3", "0:1""#).hasPrefix("the store cannot do this now"))
            let outcomes = try await admin.get("audit").items().map { $0["outcome"] as? String }
            #expect(outcomes == ["failed: it is away", "failed: \(deleted)", "failed: \(requeued)"])
        }
    }

    @Test(arguments: [[], [ShardFailure(shard: 1, reason: "away")]])
    func aFigureThatLacksAShardIsNotShown(failures: [ShardFailure]) async throws {
        try await AdminFixture.serving(operators: { TroubledStore($0, .init(failures: failures)) }) { admin in
            try await eventually("the store's figures are there") {
                try await admin.get("/metrics").text.contains("\nkiteq_store_figures_age_seconds ")
            }
            let page = try await admin.get("/metrics").text
            #expect(page.contains("\nkiteq_unanswered_transactions 0\n") == failures.isEmpty)
            #expect(page.contains("kiteq_unanswered_transactions") == failures.isEmpty)
        }
    }

    private static func half(_ number: Int64, checks: Int, nextCheckAt: Timestamp) -> OpenTransaction {
        OpenTransaction(
            // Of the future, by its number: as young as can be.
            messageID: MessageID(high: 0, low: UInt64(number)), shard: 0, seq: .max - number, topic: "trade",
            messageType: "paid", publisherGroup: "p-pay", connectionGroup: "p-pay", publishedAt: 0, expiresAt: 0,
            checks: checks, nextCheckAt: nextCheckAt)
    }

    @Test func aHalfMessageThatNobodyAnswersIsFoundBehindManyUnderWay() async throws {
        let underWay = (Int64(1)...500).map { Self.half($0, checks: 0, nextCheckAt: 1_000 + $0) }
        let stuck = Self.half(501, checks: 9, nextCheckAt: 300_000)
        let trouble = TroubledStore.Trouble(transactions: underWay + [stuck])
        try await AdminFixture.serving(operators: { TroubledStore($0, trouble) }) { admin in
            try await eventually("it is counted") {
                try await admin.get("/metrics").text.contains("\nkiteq_unanswered_transactions 1\n")
            }
            try await eventually("it is found") {
                try await admin.get("overview").text.contains("1 half message is undecided")
            }
        }
    }

    @Test func eachHalfMessageIsLookedAtOnce() async throws {
        let halves = (Int64(1)...5).map { Self.half($0, checks: 0, nextCheckAt: $0) }
        let store = TroubledStore(InMemoryMessageStore(shards: 2), .init(transactions: halves))
        let ends = try await store.undecided(limit: 2).transactions
        #expect(ends.count == 4 && Set(ends) == Set(halves[..<2] + halves[3...]))
        let all = try await store.undecided(limit: 4).transactions
        #expect(all.count == 5 && Set(all) == Set(halves))
    }
}
