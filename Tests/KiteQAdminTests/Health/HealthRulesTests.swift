import KiteQBroker
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
        waiting: Int, oldest: Int64?, connected: [Int64] = [], clients: Int = 0, minute: Rates.Rate = .init(),
        pause: GroupPause? = nil
    ) -> HealthView.Group {
        .init(
            report: GroupReport(
                name: "s-member", connectedTo: connected, fresh: BoundedCount(waiting), oldestAcceptedAt: oldest,
                pause: pause), minute: minute, clientsHere: clients)
    }

    private func shards(_ leases: Bool...) -> Readiness {
        Readiness(leases.enumerated().map { Readiness.Shard(number: $0.offset, hasLease: $0.element) })
    }

    /// What the console calls critical of a shard is what the probe calls so, and nothing else.
    @Test func aShardIsCriticalWhereTheProbeSaysSo() {
        let silent = ShardReport(
            shard: 1, database: "kite_1", pool: .init(open: 1, idle: 1, waiting: 0, limit: 6, failedConnects: 0),
            failure: "shard 1 did not answer in time")
        let asked = view {
            $0.readiness = shards(true, true)
            $0.shards = [silent]
        }
        #expect(asked.map(\.severity) == [.warning], "messages are stored and delivered all the same")
        let away = view {
            $0.readiness = shards(true, false)
            $0.shards = [silent]
        }
        #expect(away.map(\.severity) == [.critical, .critical] && Set(away.map(\.subject)) == ["shard 1"])
        let dead = view { $0.readiness = shards(false, false) }
        #expect(dead.map(\.subject) == ["broker", "shard 0", "shard 1"])
        #expect(dead.allSatisfy { $0.severity == .critical })
    }

    @Test func whereAllIsWellNothingIsFound() {
        #expect(view { _ in }.isEmpty)
        #expect(view { $0.readiness = shards(true, true) }.isEmpty)
        #expect(view { $0.groups = [group(waiting: 0, oldest: nil)] }.isEmpty)
    }

    @Test func theWorstComesFirst() {
        let findings = view {
            $0.isRegistryConnected = false
            $0.readiness = shards(true, false)
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

    @Test func clocksThatDisagreeAreCritical() {
        let findings = view {
            $0.clockIncidents = ["this machine's clock is 31 days ahead of that of shard 0's server"]
        }
        #expect(findings.map(\.severity) == [.critical])
        #expect(findings[0].subject == "clock")
        #expect(findings[0].text == "This machine's clock is 31 days ahead of that of shard 0's server.")
    }

    @Test func whatOfTheRegistryCannotBeUsedIsSaidAsLongAsItLasts() {
        let findings = view {
            $0.registryProblems = [
                RegistryProblem(.leftOut, "One node.", action: "Delete it."),
                RegistryProblem(.hidesTopic("trade"), "A topic.", action: "Let it be read."),
            ]
        }
        #expect(findings.map(\.severity) == [.critical, .warning])
        #expect(findings.map(\.text) == ["A topic.", "One node."])
    }

    @Test func aMessageThatAClientCouldNotTakeIsNamed() {
        var doubted = group(waiting: 0, oldest: nil)
        doubted.lastDoubt = .init(at: 10_000_000 - 5_000, bytes: 70_000)
        let findings = view { $0.groups = [doubted] }
        #expect(findings.map(\.severity) == [.warning] && findings[0].text.contains("70,000 bytes"))
        #expect(findings[0].action.contains("max_body"))
        doubted.lastDoubt?.at = 10_000_000 - HealthRules.doubtLasts
        #expect(view { $0.groups = [doubted] }.isEmpty)
    }

    @Test func aGroupThatStoppedIsNotOneThatIsSlow() {
        let old: Int64 = 10_000_000 - HealthRules.stalledAfter
        #expect(
            view { $0.groups = [group(waiting: 5, oldest: old, connected: [1], clients: 1)] }.map(\.severity) == [
                .critical
            ])
        #expect(
            view {
                $0.groups = [
                    group(waiting: 5, oldest: old, connected: [1], clients: 1, minute: .init(acknowledged: 0.1))
                ]
            }
            .isEmpty)
        #expect(view { $0.groups = [group(waiting: 5, oldest: old + 1, connected: [1], clients: 1)] }.isEmpty)
        // Another broker has its clients: that one knows how it goes.
        #expect(view { $0.groups = [group(waiting: 5, oldest: old, connected: [2])] }.isEmpty)
    }

    @Test func consumersThatHangAreToldFromThoseThatRefuse() {
        func stalled(_ minute: Rates.Rate) -> Finding? {
            view { $0.groups = [group(waiting: 1, oldest: 0, connected: [1], clients: 1, minute: minute)] }.first
        }
        #expect(stalled(.init(failed: 9, timedOut: 9))?.action.hasPrefix("Its consumers hang") == true)
        #expect(stalled(.init(failed: 9))?.text.contains("is refused") == true)
        for minute in [Rates.Rate(), .init(failed: 9, timedOut: 4)] {
            #expect(stalled(minute)?.action.contains("hang, or refuse") == true)
        }
        #expect(stalled(.init())?.text.contains("1 message waits") == true)
    }

    @Test func whatIsOldIsNotPassedOffAsNew() {
        #expect(view { $0.storeAge = HealthRules.storeAge - 1 }.isEmpty)
        #expect(view { $0.storeAge = HealthRules.storeAge }.map(\.subject) == ["store"])
        #expect(view { $0.storeAge = nil }.map(\.subject) == ["store"])
    }

    @Test func aGroupWithoutAClientIsLetWaitForAWhile() {
        let old: Int64 = 10_000_000 - HealthRules.absentAfter
        #expect(view { $0.groups = [group(waiting: 5, oldest: old)] }.map(\.severity) == [.warning])
        #expect(view { $0.groups = [group(waiting: 5, oldest: old + 1)] }.isEmpty)
    }

    @Test func aShardThatDoesNotAnswerPeopleIsAWarningWhileItIsUsed() {
        let findings = view {
            $0.shards = [
                ShardReport(
                    shard: 3, database: "db:3306/kite_3",
                    pool: .init(open: 0, idle: 0, waiting: 0, limit: 6, failedConnects: 2), failure: "refused")
            ]
        }
        #expect(findings.map(\.severity) == [.warning])
        #expect(findings[0].subject == "shard 3" && findings[0].text.contains("refused"))
    }

    @Test func messagesWhoseGroupsNobodyKnowsAreCritical() {
        var report = ShardReport(
            shard: 3, database: "db:3306/kite_3",
            pool: .init(open: 1, idle: 1, waiting: 0, limit: 6, failedConnects: 0),
            contents: .init(
                answerTime: .zero, product: "MariaDB", version: "10.11", serverTime: 0, tables: [], half: .zero,
                fresh: .zero, tracked: .zero, deadLetters: .zero, oldestAcceptedAt: nil, historyListLength: nil))
        #expect(view { $0.shards = [report] }.isEmpty)
        report.unknownRoutes = [77]
        var findings = view { $0.shards = [report] }
        #expect(findings.map(\.severity) == [.critical] && findings[0].subject == "shard 3")
        #expect(findings[0].text.contains("route 77 is not in kite_route of db:3306/kite_3"))
        #expect(findings[0].action.contains("docs/restore.md"))
        report.unknownRoutes = [77, 78]
        findings = view { $0.shards = [report] }
        #expect(findings[0].text.contains("2 routes, such as 77 are not in kite_route"))
    }

    @Test func halfMessagesAreFoundAfterSomeQuestionsOrAWhile() {
        let now = SystemTime.wall()
        func open(_ checks: Int, age: Timestamp = 0) -> OpenTransaction {
            var sequence = SequenceGenerator(incarnation: 1)
            return OpenTransaction(
                messageID: MessageID(high: 0, low: 1), shard: 0, seq: sequence.next(now: now - age), topic: "trade",
                messageType: "paid",
                publisherGroup: "p-payment", connectionGroup: "p-payment", publishedAt: 9_000_000, expiresAt: 0,
                checks: checks, nextCheckAt: 0)
        }
        func found(_ transactions: [OpenTransaction], _ change: (inout HealthView) -> Void = { _ in }) -> [Finding] {
            view {
                $0.now = now
                $0.transactions = transactions
                change(&$0)
            }
        }
        #expect(found([open(HealthRules.questions - 1, age: HealthRules.undecidedAfter - 1)]).isEmpty)
        let asked = found([open(HealthRules.questions), open(0)])
        #expect(asked.count == 1 && asked[0].text.hasPrefix("1 half message is undecided"))
        #expect(asked[0].text.contains("asked about 3 times"))
        let gone = found([open(HealthRules.questions), open(0, age: HealthRules.undecidedAfter)])
        #expect(gone.count == 1 && gone[0].text.hasPrefix("2 half messages are undecided"))
        #expect(gone[0].text.contains("not asked about yet"), "whether anybody is connected is not known")
        let old = open(0, age: HealthRules.undecidedAfter)
        let nobody = found([old]) { $0.hasAllGroups = true }
        #expect(nobody[0].text.contains("never asked about, since no publisher"))
        let here = found([old]) {
            $0.hasAllGroups = true
            $0.groups = [.init(report: GroupReport(name: "p-payment", connectedTo: [1]), clientsHere: 0)]
        }
        #expect(here[0].text.contains("not asked about yet"))
        let elsewhere = found([old]) { $0.unknownTopics = ["trade"] }
        #expect(elsewhere[0].text.contains("this broker does not serve its topic trade"))
        // The first question comes after 60 s here.
        let late = HealthRules.undecidedAge(TransactionSchedule(firstAfter: 60_000))
        #expect(found([old]) { $0.undecidedAfter = late }.isEmpty)
        #expect(found([open(0, age: late)]) { $0.undecidedAfter = late }.count == 1)
        #expect(HealthRules.undecidedAge(TransactionSchedule()) == HealthRules.undecidedAfter)
    }

    @Test func largeNumbersCanBeRead() {
        let findings = view { $0.recentDeadLetters = BoundedCount(12_345, isAtLeast: true) }
        #expect(findings.first?.text.hasPrefix("12,345 or more messages died") == true)
        #expect([0, 999, 1_000, -1_234_567].map(\.grouped) == ["0", "999", "1,000", "-1,234,567"])
    }

    @Test func recentDeadLettersAreAWarning() {
        #expect(view { $0.recentDeadLetters = BoundedCount(3) }.map(\.subject) == ["dead letters"])
    }

    @Test func drainingIsNotBeingBroken() {
        let findings = view {
            $0.isDraining = true
            $0.readiness = Readiness(notServing: "the broker stops")
        }
        #expect(findings.map(\.severity) == [.information])
    }
}
