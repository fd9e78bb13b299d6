import Testing

@testable import KiteQCore

@Suite struct RedeliveryScheduleTests {
    private typealias Step = RedeliverySchedule.Step
    private let schedule = RedeliverySchedule()

    @Test func everyAttemptOfTheProtocol() {
        for attempts in 0...200 {
            let expected: RedeliverySchedule.Action =
                switch attempts {
                case ..<3: .immediately
                case ..<10: .after(5_000)
                case ..<20: .after(10_000)
                case ..<30: .after(20_000)
                case ..<40: .after(40_000)
                case ..<50: .after(80_000)
                default: .after(160_000)
                }
            #expect(schedule.next(afterAttempts: attempts) == expected, "after \(attempts)")
        }
    }

    @Test(arguments: [
        (1, RedeliverySchedule.Decision.retryNow), (2, .retryNow), (3, .retryAt(1_005_000)), (9, .retryAt(1_005_000)),
        (10, .retryAt(1_010_000)), (49, .retryAt(1_080_000)), (50, .retryAt(1_160_000)), (99, .retryAt(1_160_000)),
        (100, .deadLetter(.attemptsUsedUp)), (101, .deadLetter(.attemptsUsedUp)),
        (Int.max, .deadLetter(.attemptsUsedUp)),
    ])
    func decides(_ attempts: Int, _ decision: RedeliverySchedule.Decision) {
        #expect(
            schedule.decide(attempts: attempts, deliverLimit: 100, expiresAt: 9_000_000, now: 1_000_000) == decision)
    }

    @Test func aLimitWithinTheImmediateAttemptsHolds() {
        for limit in 1...3 {
            for attempts in 1...4 {
                let decision = schedule.decide(attempts: attempts, deliverLimit: limit, expiresAt: .max, now: 0)
                #expect((decision == .deadLetter(.attemptsUsedUp)) == (attempts >= limit))
            }
        }
    }

    @Test func expiryEndsItAndBoundsTheNextAttempt() {
        func decide(_ attempts: Int, _ now: Timestamp) -> RedeliverySchedule.Decision {
            schedule.decide(attempts: attempts, deliverLimit: 100, expiresAt: 100_000, now: now)
        }
        #expect(decide(1, 99_999) == .retryNow)
        #expect(decide(1, 100_000) == .deadLetter(.expired))
        #expect(decide(1, 100_001) == .deadLetter(.expired))
        #expect(decide(100, 100_001) == .deadLetter(.attemptsUsedUp))
        #expect(decide(5, 94_999) == .retryAt(99_999))
        #expect(decide(5, 95_000) == .retryAt(100_000))
        #expect(decide(5, 95_001) == .retryAt(100_000))
        #expect(decide(5, 99_999) == .retryAt(100_000))
    }

    @Test func aConfiguredTableIsFollowed() throws {
        let schedule = try RedeliverySchedule.validated(
            immediate: 1, steps: [Step(below: 2, wait: 1), Step(below: 5, wait: RedeliverySchedule.maximumWait)],
            beyond: 7)
        #expect(schedule.next(afterAttempts: 0) == .immediately)
        #expect(schedule.next(afterAttempts: 1) == .after(1))
        #expect(schedule.next(afterAttempts: 2) == .after(86_400_000))
        #expect(schedule.next(afterAttempts: 4) == .after(86_400_000))
        #expect(schedule.next(afterAttempts: 5) == .after(7))
        #expect(RedeliverySchedule(immediate: 5, steps: [], beyond: 1)?.next(afterAttempts: 5) == .after(1))
        #expect(
            RedeliverySchedule(immediate: 3, steps: RedeliverySchedule().steps, beyond: 160_000) == RedeliverySchedule()
        )
    }

    @Test(
        arguments: [
            (0, [], 1, "at least 1 attempt"), (-1, [], 1, "not -1"), (3, [(3, 1)], 1, "below 3 attempts never applies"),
            (3, [(10, 1), (10, 2)], 1, "after one below 10"), (3, [(10, 1), (9, 2)], 1, "below 9"),
            (3, [(10, 0)], 1, "not 0"), (3, [(10, -5)], 1, "not -5"), (3, [(10, 86_400_001)], 1, "not 86400001"),
            (3, [], 0, "not 0"), (3, [], 86_400_001, "not 86400001"), (3, [], .max, "not 9223372036854775807"),
        ] as [(Int, [(Int, Timestamp)], Timestamp, String)])
    func refusesATableThatMakesNoSense(
        _ immediate: Int, _ steps: [(Int, Timestamp)], _ beyond: Timestamp, _ sentence: String
    ) {
        let steps = steps.map { Step(below: $0.0, wait: $0.1) }
        let error = #expect(throws: InvalidRule.self) {
            try RedeliverySchedule.validated(immediate: immediate, steps: steps, beyond: beyond)
        }
        #expect(error?.message.contains(sentence) == true, "\(error?.message ?? "nothing")")
        #expect(RedeliverySchedule(immediate: immediate, steps: steps, beyond: beyond) == nil)
    }
}
