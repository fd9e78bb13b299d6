import Testing

@testable import KiteQCore

/// A settlement of many dead letters, written in steps.
@Suite struct SettlementStepsTests {
    private func dead(_ range: Range<Int>) -> [Settlement.Dead] {
        range.map { Settlement.Dead(group: "g\($0)", attempts: $0, reason: .expired) }
    }

    @Test func whatFitsIsOneStep() {
        let settlement = Settlement(seq: 7, dead: dead(0..<3))
        #expect(settlement.steps(letters: 3).count == 1)
        #expect(settlement.steps(letters: 3)[0].dead == settlement.dead)
    }

    @Test func aFreshMessageIsTrackedForThoseWhoseLetterIsNotThereYet() {
        let pending = Settlement.Pending(group: "later", attempts: 1, dueAt: 9)
        let steps = Settlement(seq: 7, bytes: 50, dead: dead(0..<5), pending: [pending]).steps(letters: 2)
        #expect(steps.map(\.seq) == [7, 7, 7] && steps.allSatisfy { $0.bytes == 50 })
        #expect(steps.map { $0.dead.map(\.group) } == [["g0", "g1"], ["g2", "g3"], ["g4"]])
        #expect(steps.map(\.wasTracked) == [false, true, true])
        #expect(
            steps[0].pending == [
                pending, .init(held: "g2", attempts: 2), .init(held: "g3", attempts: 3), .init(held: "g4", attempts: 4),
            ])
        #expect(steps[1...].allSatisfy { $0.pending.isEmpty && $0.done.isEmpty })
    }

    @Test func ofATrackedOneEachStepTakesItsGroupsRows() {
        let settlement = Settlement(seq: 7, wasTracked: true, done: ["x"], dead: dead(0..<3))
        let steps = settlement.steps(letters: 1)
        #expect(steps.map { $0.dead.count } == [1, 1, 1] && steps.allSatisfy { $0.wasTracked && $0.pending.isEmpty })
        #expect(steps.map(\.done) == [["x"], [], []])
    }

    @Test(arguments: [false, true]) func whatIsLeftIsOneSettlementAgain(wasTracked: Bool) throws {
        let settlement = Settlement(
            seq: 7, bytes: 5, wasTracked: wasTracked, dead: dead(0..<7),
            pending: [.init(group: "later", attempts: 0, dueAt: 0)])
        for letters in 1...7 {
            let steps = settlement.steps(letters: letters)
            for done in steps.indices {
                let rest = try #require(Settlement(rest: steps[done...]))
                #expect(rest.dead == steps[done...].flatMap(\.dead))
                #expect(rest.wasTracked == (wasTracked || done > 0))
                #expect(rest.pending == (done == 0 ? settlement.pending : []))
                // Cut the same way it gives the same steps.
                #expect(rest.steps(letters: letters).map(\.dead) == steps[done...].map(\.dead))
            }
        }
        #expect(Settlement(rest: [Settlement]()) == nil)
    }

    @Test func itsSizeCountsEachCopy() {
        let mega = 1 << 20
        #expect(Settlement(seq: 1).writtenBytes(message: mega) == mega)
        #expect(Settlement(seq: 1, dead: dead(0..<3)).writtenBytes(message: mega) == 4 * mega)
        let tracked = Settlement(seq: 1, pending: [.init(held: "a", attempts: 1)]).writtenBytes(message: mega)
        #expect((2 * mega..<2 * mega + 1_000).contains(tracked), "as it was and as it is")
        let done = Settlement(seq: 1, wasTracked: true, done: ["a"]).writtenBytes(message: mega)
        #expect((mega..<mega + 1_000).contains(done), "it may be the last")
    }
}
