import Testing

@testable import FaultHarness

/// The checker finds what is put into a history on purpose, and nothing in one that is right.
@Suite struct HistoryCheckerTests {
    private func expect(
        _ story: Story, _ kinds: Finding.Kind..., location: SourceLocation = #_sourceLocation
    ) {
        #expect(story.findings.map(\.kind) == kinds, "\(story.findings)", sourceLocation: location)
    }

    // MARK: Right ones

    @Test func aDeliveredMessageIsRight() {
        var story = Story()
        story.note(story.plain, .published, .acknowledged)
        story.deliver(story.plain, to: 0, 1)
        expect(story)
        #expect(story.verdict.expected == 1)
        #expect(story.verdict.accepted == 2)
    }

    @Test func aRedeliveryAfterARefusalIsNoDuplicate() {
        var story = Story()
        story.note(story.plain, .published, .acknowledged)
        story.note(story.plain, .delivered, by: 0)
        story.note(story.plain, .declined, by: 0)
        story.deliver(story.plain, to: 0, 1, number: 1)
        expect(story)
        #expect(story.verdict.duplicates == 0)
    }

    @Test func whatWasNotStoredNeedNotCome() {
        var story = Story()
        story.note(story.plain, .published, .refused)
        expect(story)
    }

    @Test func anUnknownOutcomeMayComeOrNot() {
        var story = Story()
        story.note(story.plain, .published, .outcomeUnknown)
        expect(story)
        story.deliver(story.plain, to: 0, 1)
        expect(story)
        #expect(story.verdict.unknown == 1)
    }

    @Test func poisonLiesAmongTheDeadLetters() {
        var story = Story()
        let message = story.message { $0.way == .plain && $0.kind == 0 && $0.isPoison && $0.refusals == 0 }
        story.note(message, .published, .acknowledged)
        story.deliver(message, to: 0)
        story.note(message, .delivered, by: 1)
        story.note(message, .declined, by: 1)
        expect(story, .lost)
        story.deadLetters = [DeadLetter(message: message, group: 1)]
        expect(story)
    }

    @Test func transactionsEndAsTheyWereDecided() {
        var story = Story()
        let (committed, asked) = (story.half(.committed), story.half(.askedCommit))
        let (rolledBack, undecided) = (story.half(.rolledBack), story.half(.neverDecided))
        story.note(committed, .published, .acknowledged, .committed)
        story.deliver(committed, to: 0, 1)
        story.note(asked, .published, .acknowledged, .answeredUnknown, .answeredCommit)
        story.deliver(asked, to: 0, 1)
        story.note(rolledBack, .published, .acknowledged, .rolledBack)
        story.note(undecided, .published, .acknowledged, .answeredUnknown)
        story.deadLetters = [DeadLetter(message: undecided, group: nil)]
        expect(story)
    }

    // MARK: Lost ones

    @Test func oneGroupWithoutItIsALoss() {
        var story = Story()
        story.note(story.plain, .published, .acknowledged)
        story.deliver(story.plain, to: 0)
        expect(story, .lost)
        #expect(story.findings.first?.group == 1)
    }

    @Test func aDeliveryThatWasOnlyRefusedIsALoss() {
        var story = Story()
        story.note(story.plain, .published, .acknowledged)
        story.deliver(story.plain, to: 0)
        story.note(story.plain, .delivered, by: 1)
        story.note(story.plain, .declined, by: 1)
        expect(story, .lost)
    }

    @Test func aDeliveryWithoutAnEndIsALoss() {
        var story = Story()
        story.note(story.plain, .published, .acknowledged)
        story.deliver(story.plain, to: 0)
        story.note(story.plain, .delivered, by: 1)
        expect(story, .lost)
    }

    @Test func halfOfAnUnknownOneIsALoss() {
        var story = Story()
        story.note(story.plain, .published, .outcomeUnknown)
        story.deliver(story.plain, to: 0)
        expect(story, .lost)
    }

    @Test func aCommitThatNobodyGotIsALoss() {
        var story = Story()
        story.note(story.half(.committed), .published, .acknowledged, .committed)
        expect(story, .lost, .lost)
    }

    @Test func anUndecidedOneThatVanishedIsALoss() {
        var story = Story()
        story.note(story.half(.neverDecided), .published, .acknowledged)
        expect(story, .lost)
    }

    // MARK: Wrong ones

    @Test func whatWasRefusedMustNotCome() {
        var story = Story()
        story.note(story.plain, .published, .refused)
        story.deliver(story.plain, to: 0, 1)
        expect(story, .falselyRefused)
    }

    @Test(arguments: [MessagePlan.Way.rolledBack, .askedRollBack, .neverDecided])
    func whatWasNotCommittedMustNotCome(_ way: MessagePlan.Way) {
        var story = Story()
        let message = story.half(way)
        story.note(message, .published, .acknowledged)
        story.deliver(message, to: 0, 1)
        story.deadLetters = way == .neverDecided ? [DeadLetter(message: message, group: nil)] : []
        expect(story, .wrong)
    }

    @Test func theCommitComesFirst() {
        var story = Story()
        let message = story.half(.committed)
        story.note(message, .published, .acknowledged)
        story.deliver(message, to: 0, 1)
        story.note(message, .committed)
        expect(story, .wrong)
    }

    @Test func otherGroupsMustNotGetIt() {
        var story = Story()
        story.note(story.plain, .published, .acknowledged)
        story.deliver(story.plain, to: 0, 1, 2)
        expect(story, .wrong)
    }

    @Test func whatIsNotPoisonMustNotBeBuried() {
        var story = Story()
        story.note(story.plain, .published, .acknowledged)
        story.deliver(story.plain, to: 0)
        story.deadLetters = [DeadLetter(message: story.plain, group: 1)]
        expect(story, .wrong)
    }

    @Test func whatWasDecidedMustNotBeParked() {
        var story = Story()
        let message = story.half(.rolledBack)
        story.note(message, .published, .acknowledged, .rolledBack)
        story.deadLetters = [DeadLetter(message: message, group: nil)]
        expect(story, .wrong)
    }
}
