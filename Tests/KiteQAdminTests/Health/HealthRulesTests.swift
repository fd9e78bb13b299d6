import KiteQCore
import Testing

@testable import KiteQAdmin

@Suite struct HealthRulesTests {
    private func view(_ change: (inout HealthView) -> Void) -> [Finding] {
        var view = HealthView(now: 10_000_000)
        change(&view)
        return HealthRules.findings(view)
    }

    private func group(
        waiting: Int, oldest: Int64?, connected: [Int64] = [], clients: Int = 0, acknowledged: Double = 0,
        pause: GroupPause? = nil
    ) -> HealthView.Group {
        .init(
            report: GroupReport(
                name: "s-member", connectedTo: connected, fresh: BoundedCount(waiting), oldestAcceptedAt: oldest,
                pause: pause), acknowledged: acknowledged, clientsHere: clients)
    }

    @Test func whereAllIsWellNothingIsFound() {
        #expect(view { _ in }.isEmpty)
        #expect(view { $0.leases = [5, 6] }.isEmpty)
        #expect(view { $0.groups = [group(waiting: 0, oldest: nil)] }.isEmpty)
    }

    @Test func theWorstComesFirst() {
        let findings = view {
            $0.isRegistryConnected = false
            $0.leases = [3, -1]
            $0.groups = [
                group(
                    waiting: 1, oldest: 0,
                    pause: GroupPause(group: "s-member", pausedAt: 0, pausedBy: "ann", reason: "upgrade"))
            ]
        }
        #expect(findings.map(\.severity) == [.critical, .warning, .information])
        #expect(findings[0].text.contains("shard 1"))
        #expect(findings[2].text.contains("paused by ann: upgrade"))
    }

    @Test func aGroupThatStoppedIsNotOneThatIsSlow() {
        let old: Int64 = 10_000_000 - HealthRules.stalledAfter
        #expect(
            view { $0.groups = [group(waiting: 5, oldest: old, connected: [1], clients: 1)] }.map(\.severity) == [
                .critical
            ])
        #expect(
            view { $0.groups = [group(waiting: 5, oldest: old, connected: [1], clients: 1, acknowledged: 0.1)] }.isEmpty
        )
        #expect(view { $0.groups = [group(waiting: 5, oldest: old + 1, connected: [1], clients: 1)] }.isEmpty)
        // Another broker has its clients: that one knows how it goes.
        #expect(view { $0.groups = [group(waiting: 5, oldest: old, connected: [2])] }.isEmpty)
    }

    @Test func aGroupWithoutAClientIsLetWaitForAWhile() {
        let old: Int64 = 10_000_000 - HealthRules.absentAfter
        #expect(view { $0.groups = [group(waiting: 5, oldest: old)] }.map(\.severity) == [.warning])
        #expect(view { $0.groups = [group(waiting: 5, oldest: old + 1)] }.isEmpty)
    }

    @Test func aShardThatDoesNotAnswerIsCritical() {
        let findings = view {
            $0.shards = [
                ShardReport(
                    shard: 3, database: "db:3306/kite_3",
                    pool: .init(open: 0, idle: 0, waiting: 0, limit: 6, failedConnects: 2), failure: "refused")
            ]
        }
        #expect(findings.map(\.severity) == [.critical])
        #expect(findings[0].subject == "shard 3" && findings[0].text.contains("refused"))
    }

    @Test func halfMessagesAreFoundAfterSomeQuestions() {
        func open(_ checks: Int) -> OpenTransaction {
            OpenTransaction(
                messageID: MessageID(high: 0, low: 1), shard: 0, seq: 1, topic: "trade", messageType: "paid",
                publisherGroup: "p-payment", connectionGroup: "p-payment", publishedAt: 9_000_000, expiresAt: 0,
                checks: checks, nextCheckAt: 0)
        }
        #expect(view { $0.transactions = [open(HealthRules.questions - 1)] }.isEmpty)
        let findings = view { $0.transactions = [open(HealthRules.questions), open(0)] }
        #expect(findings.count == 1 && findings[0].text.hasPrefix("1 half messages"))
    }

    @Test func recentDeadLettersAreAWarning() {
        #expect(view { $0.recentDeadLetters = BoundedCount(3) }.map(\.subject) == ["dead letters"])
    }

    @Test func drainingIsNotBeingBroken() {
        let findings = view {
            $0.isDraining = true
            $0.whyNotReady = "the broker stops"
        }
        #expect(findings.map(\.severity) == [.information])
    }
}
