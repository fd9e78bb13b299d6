import Testing

@testable import FaultHarness

/// Which deliveries that came twice a fault excuses, and which it does not.
@Suite struct DuplicateTests {
    private func delivered() -> Story {
        var story = Story()
        story.note(story.plain, .published, .acknowledged)
        story.deliver(story.plain, to: 0, 1)
        return story
    }

    @Test func withoutAFaultItIsUnexplained() {
        var story = delivered()
        story.deliver(story.plain, to: 1, number: 1)
        #expect(story.findings.map(\.kind) == [.unexplained])
    }

    @Test func twoAtATimeAreUnexplained() {
        var story = Story()
        story.note(story.plain, .published, .acknowledged)
        story.deliver(story.plain, to: 0)
        story.note(story.plain, .delivered, by: 1)
        story.note(story.plain, .delivered, by: 1, number: 1)
        story.note(story.plain, .accepted, by: 1)
        story.note(story.plain, .accepted, by: 1, number: 1)
        #expect(story.findings.map(\.kind) == [.unexplained])
    }

    @Test func whatWasAcknowledgedShortlyBeforeAKillMayComeAgain() {
        var story = delivered()
        story.fault(.brokerKill)
        story.deliver(story.plain, to: 1, number: 1)
        #expect(story.findings.isEmpty)
        #expect(story.verdict.faults[0].duplicates == 1)
        #expect(story.verdict.faults[0].bound == 2)
        #expect(story.verdict.faults[0].oldestAnswer == 0.05)
    }

    @Test func whatWasOpenMayComeAgain() {
        var story = Story()
        story.note(story.plain, .published, .acknowledged)
        story.deliver(story.plain, to: 0)
        story.note(story.plain, .delivered, by: 1)
        story.fault(.brokerKill)
        story.note(story.plain, .accepted, by: 1)
        story.deliver(story.plain, to: 1, number: 1)
        #expect(story.findings.isEmpty)
        #expect(story.verdict.duplicates == 1)
    }

    @Test func theWindowIsABound() {
        var story = delivered()
        story.wait(seconds: 3)
        story.fault(.brokerKill)
        story.deliver(story.plain, to: 1, number: 1)
        #expect(story.findings.map(\.kind) == [.unexplained])
        #expect(story.verdict.faults[0].bound == 0)
    }

    @Test func anotherBrokersDeathIsNoReason() {
        var story = delivered()
        story.fault(.brokerKill, broker: 1)
        story.deliver(story.plain, to: 1, number: 1)
        #expect(story.findings.map(\.kind) == [.unexplained])
    }

    @Test func aFaultAfterwardsIsNoReason() {
        var story = delivered()
        story.deliver(story.plain, to: 1, number: 1)
        story.fault(.brokerKill)
        #expect(story.findings.map(\.kind) == [.unexplained])
    }

    @Test func theDatabaseIsEverybodys() {
        var story = delivered()
        story.fault(.databaseKill, broker: 1)
        story.deliver(story.plain, to: 1, number: 1)
        #expect(story.findings.isEmpty)
    }

    @Test(arguments: [FaultKind.zooKeeperKill, .zooKeeperCut, .brokerStop])
    func someFaultsExcuseNothing(_ kind: FaultKind) {
        var story = delivered()
        story.fault(kind)
        story.deliver(story.plain, to: 1, number: 1)
        #expect(story.findings.map(\.kind) == [.unexplained])
    }

    @Test func eachEarlierDeliveryNeedsAReason() {
        var story = delivered()
        story.fault(.brokerKill)
        story.deliver(story.plain, to: 1, number: 1)
        story.wait(seconds: 3)
        story.deliver(story.plain, to: 1, number: 2)
        #expect(story.findings.map(\.kind) == [.unexplained])
    }

    @Test func aRepeatedPublishIsAReasonOfItsOwn() {
        var story = Story()
        story.note(story.plain, .published, .outcomeUnknown)
        story.deliver(story.plain, to: 0, 1)
        story.wait(seconds: 3)
        story.note(story.plain, .published, .acknowledged)
        story.deliver(story.plain, to: 0, 1, number: 1)
        #expect(story.findings.isEmpty)
        #expect(story.verdict.republished == 2)
    }

    @Test func butNotOfAHalfMessageWhoseOutcomeIsRemembered() {
        var story = Story()
        let message = story.half(.committed)
        story.note(message, .published, .outcomeUnknown, .published, .acknowledged, .committed)
        story.deliver(message, to: 0, 1)
        story.wait(seconds: 3)
        story.deliver(message, to: 0, number: 1)
        #expect(story.findings.map(\.kind) == [.unexplained])
    }

    /// While the database is away nothing is written: a broker's death then has it come again, however long ago it was.
    @Test func theBrokersDeathIsTheReasonWhereTheDatabaseWasAwayToo() {
        var story = delivered()
        story.fault(.databaseKill, seconds: 4)
        story.fault(.brokerKill)
        story.deliver(story.plain, to: 1, number: 1)
        #expect(story.findings.isEmpty)
        #expect(story.verdict.faults.map(\.duplicates) == [1, 0])
        var second = Story()
        second.fault(.databaseKill, seconds: 4)
        second.note(second.plain, .published, .acknowledged)
        second.deliver(second.plain, to: 0, 1)
        second.fault(.brokerKill)
        second.deliver(second.plain, to: 1, number: 1)
        #expect(second.verdict.faults.map(\.duplicates) == [0, 1])
    }

    /// What a paused broker had decided leaves it when it goes on, whoever has delivered it meanwhile.
    @Test func aPausedBrokersPacketsAreLate() {
        func story(late seconds: UInt32, overNewConnection isNew: Bool = false) -> Story {
            var story = Story()
            story.note(story.plain, .published, .acknowledged)
            story.deliver(story.plain, to: 0)
            story.wait(seconds: 5)
            story.fault(.brokerPause, broker: 1)
            story.note(story.plain, .delivered, by: 1)
            story.wait(seconds: seconds)
            story.note(story.plain, .delivered, by: 1, broker: 1, number: 1, overNewConnection: isNew)
            story.note(story.plain, .accepted, by: 1)
            story.note(story.plain, .accepted, by: 1, broker: 1, number: 1)
            return story
        }
        #expect(story(late: 0).findings.isEmpty)
        #expect(story(late: 0).verdict.duplicates == 1)
        #expect(story(late: 2).findings.isEmpty)
        #expect((2...2.5).contains(story(late: 2).verdict.lateness))
        #expect(story(late: 2, overNewConnection: true).findings.map(\.kind) == [.unexplained], "it joined anew")
        #expect(story(late: 6).findings.map(\.kind) == [.unexplained])
    }
}
