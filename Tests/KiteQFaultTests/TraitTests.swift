import Testing

@testable import FaultHarness

/// What the checker says of loads that are not the usual one: each rule lets through what it is for, and nothing next to it.
@Suite struct TraitTests {
    // MARK: Slow handlers

    /// Held by a consumer that does not tell of its work, given up after 6 s, and handled again.
    private func slow(
        traits: LoadTraits = .slow, consumer: Int = 1, repeatedAfter seconds: UInt32 = 6, endedBefore gap: UInt32? = nil
    ) -> Story {
        var story = Story(traits: traits)
        story.note(story.plain, .published, .acknowledged)
        story.deliver(story.plain, to: 0)
        story.note(story.plain, .delivered, by: 1, consumer: consumer)
        if let gap {
            story.wait(seconds: seconds - gap)
            story.note(story.plain, .accepted, by: 1, consumer: consumer)
            story.wait(seconds: gap)
        } else {
            story.wait(seconds: seconds)
        }
        story.note(story.plain, .delivered, by: 1, number: 1)
        if gap == nil { story.note(story.plain, .accepted, by: 1, consumer: consumer) }
        story.note(story.plain, .accepted, by: 1, number: 1)
        return story
    }

    @Test func whatTookTooLongMayComeAgain() {
        #expect(slow().findings.isEmpty)
        #expect(slow().verdict.late == 1)
    }

    @Test func butNotWhereNobodyIsSlow() { #expect(slow(traits: []).findings.map(\.kind) == [.unexplained]) }

    @Test func norFromAConsumerThatTellsOfItsWork() {
        #expect(slow(consumer: 0).findings.map(\.kind) == [.unexplained])
    }

    @Test func norBeforeTheTimeout() { #expect(slow(repeatedAfter: 3).findings.map(\.kind) == [.unexplained]) }

    @Test func aLateSuccessSettles() {
        #expect(slow(repeatedAfter: 12, endedBefore: 4).findings.map(\.kind) == [.unexplained])
        #expect(slow(repeatedAfter: 12, endedBefore: 0).findings.isEmpty, "the answer and the repetition crossed")
    }

    /// A broker that stops in order waits for no delivery that it has given up: nobody takes that success.
    @Test(arguments: [0, 1]) func aLateSuccessOfABrokerThatHasStoppedDoesNot(broker: Int) {
        var story = Story(traits: .slow)
        story.note(story.plain, .published, .acknowledged)
        story.deliver(story.plain, to: 0)
        story.note(story.plain, .delivered, by: 1, consumer: 1)
        story.fault(.brokerStop, broker: broker, seconds: 5)
        story.wait(seconds: 5)
        story.note(story.plain, .accepted, by: 1, consumer: 1)
        story.wait(seconds: 4)
        story.deliver(story.plain, to: 1, broker: 1, number: 1)
        #expect(story.findings.map(\.kind) == (broker == 0 ? [] : [.unexplained]))
    }

    @Test func theLongestWaitIsTold() {
        var story = Story()
        story.note(story.plain, .published, .acknowledged)
        story.wait(seconds: 7)
        story.deliver(story.plain, to: 0, 1)
        #expect(story.verdict.longestWait?.message == story.plain)
        #expect((story.verdict.longestWait?.seconds ?? 0).rounded() == 7)
    }

    @Test func whatWasHandledLateMustNotBeBuried() {
        var story = slow()
        story.deadLetters = [DeadLetter(message: story.plain, group: 1)]
        #expect(story.findings.map(\.kind) == [.wrong])
    }

    // MARK: Lost connections

    private func lost(
        group: Int = 1, broker: Int = 0, consumer: Int = 0, after seconds: UInt32 = 0, isOpen: Bool = true,
        overNewConnection isNew: Bool = false
    ) -> Story {
        var story = Story(traits: .deadly)
        story.note(story.plain, .published, .acknowledged)
        story.deliver(story.plain, to: 0)
        if isNew { story.loseConnection(group: group, broker: broker, consumer: consumer) }
        story.note(story.plain, .delivered, by: 1, overNewConnection: isNew)
        if !isOpen { story.note(story.plain, .accepted, by: 1) }
        story.wait(seconds: seconds)
        if !isNew { story.loseConnection(group: group, broker: broker, consumer: consumer) }
        story.note(story.plain, .delivered, by: 1, number: 1)
        if isOpen { story.note(story.plain, .accepted, by: 1) }
        story.note(story.plain, .accepted, by: 1, number: 1)
        return story
    }

    @Test func aLostConnectionTakesAlongWhatIsOpen() {
        #expect(lost().findings.isEmpty)
        #expect(lost().verdict.takenAlong == 1)
        #expect(lost(isOpen: false).findings.isEmpty, "its answer was on its way")
    }

    @Test func andNothingElse() {
        #expect(lost(group: 0).findings.map(\.kind) == [.unexplained])
        #expect(lost(broker: 1).findings.map(\.kind) == [.unexplained])
        #expect(lost(consumer: 1).findings.map(\.kind) == [.unexplained])
        #expect(lost(after: 3, isOpen: false).findings.map(\.kind) == [.unexplained])
        #expect(lost(overNewConnection: true).findings.map(\.kind) == [.unexplained])
    }

    @Test func onlyTheDeadlyOneMayBeBuried() {
        var story = lost()
        story.deadLetters = [DeadLetter(message: story.plain, group: 1)]
        #expect(story.findings.map(\.kind) == [.wrong])
        var deadly = Story(traits: .deadly)
        let message = deadly.message { $0.isDeadly && $0.way == .plain && $0.kind == 0 && $0.refusals == 0 }
        deadly.note(message, .published, .acknowledged)
        deadly.deliver(message, to: 0)
        deadly.note(message, .delivered, by: 1)
        deadly.note(message, .declined, by: 1)
        deadly.deadLetters = [DeadLetter(message: message, group: 1)]
        #expect(deadly.findings.isEmpty)
    }

    // MARK: Ids that are used again

    private func reused(_ way: MessagePlan.Way, in story: Story) -> UInt32 {
        story.message { $0.way == way && $0.kind == 0 && $0.refusals == 0 && $0.isReused }
    }

    @Test func whatWasTakenAgainAfterARollBackMustCome() {
        var story = Story(traits: .ids)
        let message = reused(.rolledBack, in: story)
        story.note(message, .published, .acknowledged, .rolledBack, .reused, .reuseAcknowledged)
        #expect(story.findings.map(\.kind) == [.lost, .lost])
        story.deliver(message, to: 0, 1)
        #expect(story.findings.isEmpty)
        #expect(story.verdict.reused == 1)
    }

    @Test func whatWasRefusedAgainMustNot() {
        var story = Story(traits: .ids)
        let message = reused(.rolledBack, in: story)
        story.note(message, .published, .acknowledged, .rolledBack, .reused, .reuseRefused)
        #expect(story.findings.isEmpty)
        story.deliver(message, to: 0, 1)
        #expect(story.findings.map(\.kind) == [.wrong])
    }

    @Test func norBeforeItWasSentAgain() {
        var story = Story(traits: .ids)
        let message = reused(.rolledBack, in: story)
        story.note(message, .published, .acknowledged, .rolledBack)
        story.deliver(message, to: 0, 1)
        story.note(message, .reused, .reuseAcknowledged)
        #expect(story.findings.map(\.kind) == [.wrong])
    }

    @Test func overAHalfMessageItMustBeRefused() {
        var story = Story(traits: .ids)
        let message = reused(.neverDecided, in: story)
        story.deadLetters = [DeadLetter(message: message, group: nil)]
        story.note(message, .published, .acknowledged, .reused, .reuseRefused)
        #expect(story.findings.isEmpty)
        story.note(message, .reused, .reuseAcknowledged)
        #expect(story.findings.map(\.kind) == [.wrong])
    }

    @Test func anIdThatIsTakenAgainMayComeAgain() {
        var story = Story(traits: .ids)
        let message = reused(.plain, in: story)
        story.note(message, .published, .acknowledged)
        story.deliver(message, to: 0, 1)
        story.note(message, .reused, .reuseAcknowledged)
        story.deliver(message, to: 0, 1, number: 1)
        #expect(story.findings.isEmpty)
        #expect(story.verdict.republished == 2)
    }

    // MARK: Shards

    /// The shard that the plain message does not lie in.
    private func otherShard(_ story: Story) -> Int { 1 - story.shard(of: story.plain) }

    private func repeated(after seconds: UInt32, ofFaultOf shard: (Story) -> Int) -> Story {
        var story = Story()
        story.note(story.plain, .published, .acknowledged)
        story.deliver(story.plain, to: 0, 1)
        story.fault(.shardLock, seconds: seconds, shard: shard(story))
        story.deliver(story.plain, to: 1, number: 1)
        return story
    }

    /// Nobody is declared dead for it, so nobody begins anew in the others.
    @Test(arguments: [2, 10] as [UInt32]) func aShardsFaultIsAReasonForItsMessagesAlone(seconds: UInt32) {
        #expect(repeated(after: seconds) { $0.shard(of: $0.plain) }.findings.isEmpty)
        #expect(repeated(after: seconds) { otherShard($0) }.findings.map(\.kind) == [.unexplained])
    }

    /// What was stored since the state that comes back may be gone, in that shard; nothing else is.
    @Test func aShardThatIsPutBackMayHaveLostWhatIsNewer() {
        var story = Story()
        story.note(story.plain, .published, .acknowledged)
        story.fault(.shardRestore, seconds: 2, shard: story.shard(of: story.plain))
        #expect(story.findings.map(\.kind) == [.lost, .lost], "it was stored before")

        var newer = Story()
        newer.fault(.shardRestore, seconds: 2, shard: newer.shard(of: newer.plain))
        newer.rewind(seconds: 1)
        newer.note(newer.plain, .published, .acknowledged)
        #expect(newer.findings.isEmpty && newer.verdict.putBack == [newer.plain])

        var elsewhere = Story()
        elsewhere.fault(.shardRestore, seconds: 2, shard: otherShard(elsewhere))
        elsewhere.rewind(seconds: 1)
        elsewhere.note(elsewhere.plain, .published, .acknowledged)
        #expect(elsewhere.findings.map(\.kind) == [.lost, .lost])

        var later = Story()
        later.fault(.shardRestore, seconds: 2, shard: later.shard(of: later.plain))
        later.wait(seconds: 2)
        later.note(later.plain, .published, .acknowledged)
        #expect(later.findings.map(\.kind) == [.lost, .lost], "it was stored afterwards")
    }

    /// Its groups get again what they have handled since; all brokers begin anew in all shards.
    @Test func aShardThatIsPutBackRepeats() {
        for isElsewhere in [false, true] {
            var story = Story()
            story.note(story.plain, .published, .acknowledged)
            story.deliver(story.plain, to: 0, 1)
            story.wait(seconds: 4)
            let shard = story.shard(of: story.plain)
            // Accepted before the state that comes back, and written by then.
            story.fault(.shardRestore, seconds: 6, shard: isElsewhere ? 1 - shard : shard)
            story.deliver(story.plain, to: 1, number: 1)
            #expect(story.findings.map(\.kind) == [.unexplained])

            var since = Story()
            since.note(since.plain, .published, .acknowledged)
            since.fault(.shardRestore, seconds: 6, shard: isElsewhere ? 1 - shard : shard)
            since.rewind(seconds: 5)
            since.deliver(since.plain, to: 0, 1)
            since.wait(seconds: 5)
            since.deliver(since.plain, to: 1, number: 1)
            #expect(since.findings.map(\.kind) == (isElsewhere ? [.unexplained] : []))
        }
    }

    @Test func theOthersHaveToGoOn() {
        var story = Story()
        story.fault(.shardDown, seconds: 4, shard: story.shard(of: story.plain))
        #expect(story.silentOutages.count == 1)
        story.rewind(seconds: 2)
        story.note(story.plain, .published, .acknowledged)
        #expect(story.silentOutages.count == 1, "it is of the shard that is away")
        var other = Story()
        other.fault(.shardDown, seconds: 4, shard: otherShard(other))
        other.rewind(seconds: 2)
        other.note(other.plain, .published, .acknowledged)
        #expect(other.silentOutages.isEmpty)
    }
}
