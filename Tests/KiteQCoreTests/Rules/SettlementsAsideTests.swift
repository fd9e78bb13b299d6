import Testing

@testable import KiteQCore

/// What the store does not take for now.
@Suite struct SettlementsAsideTests {
    private static let second = SettlementsAside.firstWait

    @Test func itIsDueAgainAfterAWhileThatDoubles() {
        var aside = SettlementsAside()
        #expect(aside.nextDue == nil && aside.count == 0)
        aside.put(Settlement(seq: 1), now: 0)
        var now = Self.second
        #expect(aside.nextDue == now)
        var taken = aside.take(limit: 9, now: now - 1)
        #expect(taken.isEmpty)
        for wait in [2, 4, 8, 16, 32, 60, 60] {
            taken = aside.take(limit: 9, now: now)
            #expect(taken.map(\.seq) == [1])
            taken = aside.take(limit: 9, now: .max)
            #expect(aside.nextDue == nil && taken.isEmpty, "it is being tried")
            aside.failed(1, rest: nil, now: now)
            now += MonotonicTime(wait) * Self.second
            #expect(aside.nextDue == now)
        }
        taken = aside.take(limit: 9, now: now)
        #expect(taken.map(\.seq) == [1])
        aside.passed(1, now: now)
        #expect(aside.count == 0 && aside.nextDue == nil)
    }

    @Test func whatComesLaterOfTheSameMessageWaitsBehindIt() {
        var aside = SettlementsAside()
        var isQueued = aside.queue(Settlement(seq: 1))
        #expect(!isQueued)
        aside.put(Settlement(seq: 1, pending: [.init(held: "a", attempts: 1)]), now: 0)
        isQueued = aside.queue(Settlement(seq: 1, wasTracked: true, done: ["a"]))
        #expect(isQueued)
        isQueued = aside.queue(Settlement(seq: 2))
        #expect(!isQueued)
        var taken = aside.take(limit: 9, now: .max)
        #expect(taken.map(\.wasTracked) == [false])
        isQueued = aside.queue(Settlement(seq: 1, wasTracked: true, done: ["b"]))
        #expect(isQueued, "also while it is being tried")
        aside.passed(1, now: 5)
        #expect(aside.nextDue == 5)
        for group in ["a", "b"] {
            taken = aside.take(limit: 9, now: 5)
            #expect(taken.map(\.done) == [[group]])
            aside.passed(1, now: 5)
        }
        #expect(aside.count == 0)
    }

    @Test func ofOneThatWasWrittenInPartTheRestIsTried() {
        var aside = SettlementsAside()
        aside.put(Settlement(seq: 1, done: ["a", "b"]), now: 0)
        _ = aside.take(limit: 1, now: .max)
        aside.failed(1, rest: Settlement(seq: 1, done: ["b"]), now: 0)
        let taken = aside.take(limit: 1, now: .max)
        #expect(taken.map(\.done) == [["b"]])
    }

    /// More of them than are tried at a time are never taken: the others have their turn all the same.
    @Test func whatFailsAgainAndAgainKeepsNoOtherFromItsTurn() {
        var aside = SettlementsAside()
        for seq in 1...3 as ClosedRange<Int64> { aside.put(Settlement(seq: seq), now: 0) }
        var taken = aside.take(limit: 2, now: .max)
        #expect(taken.map(\.seq) == [1, 2])
        for seq in 1...2 as ClosedRange<Int64> { aside.failed(seq, rest: nil, now: 0) }
        taken = aside.take(limit: 2, now: .max)
        #expect(taken.map(\.seq) == [3, 1])
    }

    @Test func whatWasNotTriedWaitsNoLongerForThat() {
        var aside = SettlementsAside()
        aside.put(Settlement(seq: 1, done: ["a", "b"]), now: 0)
        for round in 1...5 as ClosedRange<MonotonicTime> {
            let taken = aside.take(limit: 1, now: .max)
            #expect(taken.count == 1)
            aside.gaveBack(Settlement(seq: 1, done: ["b"]), now: round * Self.second)
            #expect(aside.nextDue == (round + 1) * Self.second)
        }
        let taken = aside.take(limit: 1, now: .max)
        #expect(taken.map(\.done) == [["b"]])
    }

    @Test func theyAreTakenByTheirSeqs() {
        var aside = SettlementsAside()
        for seq in [5, 3, 9, 1] as [Int64] { aside.put(Settlement(seq: seq), now: 0) }
        var taken = aside.take(limit: 2, now: .max)
        #expect(taken.map(\.seq) == [1, 3])
        taken = aside.take(limit: 9, now: .max)
        #expect(taken.map(\.seq) == [5, 9])
    }
}
