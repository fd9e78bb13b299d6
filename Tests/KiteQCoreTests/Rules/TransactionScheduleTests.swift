import Testing

@testable import KiteQCore

@Suite struct TransactionScheduleTests {
    @Test func doublesUpToTheLongestAndGivesUp() {
        let schedule = TransactionSchedule()
        var now = schedule.firstCheck(now: 0)
        var waits = [now]
        var checks = 0
        while case .at(let next) = schedule.next(checks: checks, now: now, expiresAt: .max) {
            waits.append(next - now)
            now = next
            checks += 1
        }
        #expect(checks == 15)
        #expect(
            waits == [
                6_000, 12_000, 24_000, 48_000, 96_000, 192_000, 300_000, 300_000, 300_000, 300_000, 300_000, 300_000,
                300_000, 300_000, 300_000, 300_000,
            ])
        #expect(schedule.next(checks: 14, now: 0, expiresAt: .max) == .at(300_000))
        for checks in [15, 16, .max] { #expect(schedule.next(checks: checks, now: 0, expiresAt: .max) == .giveUp) }
    }

    @Test func isNeverLaterThanTheExpiry() {
        let schedule = TransactionSchedule()
        #expect(schedule.firstCheck(now: 1_000, expiresAt: 6_999) == 6_999)
        #expect(schedule.firstCheck(now: 1_000, expiresAt: 7_000) == 7_000)
        #expect(schedule.firstCheck(now: 1_000, expiresAt: 7_001) == 7_000)
        #expect(schedule.next(checks: 0, now: 1_000, expiresAt: 12_999) == .at(12_999))
        #expect(schedule.next(checks: 0, now: 1_000, expiresAt: 13_000) == .at(13_000))
        #expect(schedule.next(checks: 0, now: 1_000, expiresAt: 13_001) == .at(13_000))
        #expect(schedule.next(checks: 0, now: 1_000, expiresAt: 1_001) == .at(1_001))
        #expect(schedule.next(checks: 0, now: 1_000, expiresAt: 1_000) == .giveUp)
        #expect(schedule.next(checks: 0, now: 1_000, expiresAt: 999) == .giveUp)
    }

    @Test func waitsNeverShrinkNorPassTheLongest() {
        for first in [1, 2, 3, 999, 6_000, 299_999, 300_000, 604_800_000] as [Timestamp] {
            for longest in [first, first + 1, first * 2, first * 3, 604_800_000] where longest <= 604_800_000 {
                let schedule = TransactionSchedule(firstAfter: first, longest: longest, maxChecks: .max)
                #expect(schedule.problem == nil)
                var previous = schedule.firstCheck(now: 0)
                #expect(previous == first)
                for checks in [Int](0...70) + [.max - 1] {
                    guard case .at(let next) = schedule.next(checks: checks, now: 0, expiresAt: .max) else {
                        Issue.record("gave up after \(checks)")
                        continue
                    }
                    #expect(next >= previous && next <= longest && next <= previous * 2)
                    previous = checks > 70 ? previous : next
                }
                #expect(previous == longest)
            }
        }
    }

    @Test(
        arguments: [
            (0, 300_000, 15, "after 1 to 604800000 ms, not 0"), (-1, 300_000, 15, "not -1"),
            (604_800_001, 604_800_001, 15, "not 604800001"), (6_000, 5_999, 15, "not 5999"),
            (6_000, 604_800_001, 15, "not 604800001"), (6_000, 300_000, 0, "not 0 times"),
            (6_000, 300_000, -3, "not -3 times"),
        ] as [(Timestamp, Timestamp, Int, String)])
    func saysWhatIsWrong(_ first: Timestamp, _ longest: Timestamp, _ checks: Int, _ sentence: String) {
        let schedule = TransactionSchedule(firstAfter: first, longest: longest, maxChecks: checks)
        #expect(schedule.problem?.contains(sentence) == true, "\(schedule.problem ?? "nothing")")
    }

    @Test func aWrongOneDoesNotTrap() {
        for first in [.min, -1, 0, 1, .max] as [Timestamp] {
            for longest in [.min, -1, 0, 1, .max] as [Timestamp] {
                let schedule = TransactionSchedule(firstAfter: first, longest: longest, maxChecks: 100)
                #expect((1...604_800_000).contains(schedule.firstCheck(now: 0)))
                for checks in -1...99 {
                    guard case .at(let next) = schedule.next(checks: checks, now: 0, expiresAt: .max) else {
                        Issue.record("gave up")
                        continue
                    }
                    #expect((1...604_800_000).contains(next))
                }
            }
        }
    }
}
