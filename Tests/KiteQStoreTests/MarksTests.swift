import KiteQCore
import Testing

@testable import KiteQStore

/// Where looks begin.
@Suite struct MarksTests {
    private let own: Int64 = 101
    private let dead: Int64 = 7
    private let route: RouteID = 5

    // MARK: This life's messages

    @Test func aNewLifeHasNothing() {
        let marks = FreshMarks(own: own)
        #expect(marks.isKnown(own) && marks.routes(of: own).isEmpty)
        #expect(!marks.mayHave(route, of: own))
        #expect(marks.mayHave(route, of: dead), "nobody has looked")
    }

    @Test func aMarkRisesToTheFirstMessageFound() {
        var marks = FreshMarks(own: own)
        stored([10, 20, 30], &marks)
        #expect(marks.floor(of: own, route) == 10)
        look(finding: 20, &marks)
        #expect(marks.floor(of: own, route) == 20)
        look(finding: nil, &marks)
        #expect(!marks.mayHave(route, of: own) && marks.route(of: own, after: 0) == nil)
    }

    /// A half message that is committed late, or a dead broker's that is taken over.
    @Test func anOldMessageThatBecomesThisLifesLowersTheMark() {
        var marks = FreshMarks(own: own)
        stored([50], &marks)
        look(finding: 50, &marks)
        stored([3], &marks)
        #expect(marks.floor(of: own, route) == 3)
    }

    @Test func noMarkRisesAboveAWriteThatALookMayHaveMissed() {
        for isBegunBefore in [true, false] {
            var marks = FreshMarks(own: own)
            stored([40], &marks)
            var write = 0
            if isBegunBefore { write = begin([20], &marks) }
            let other = marks.beginLook()
            if !isBegunBefore { write = begin([20], &marks) }
            // It was not committed yet when the index was read, and is before the look is told.
            marks.endWrite(write)
            marks.found(40, of: own, route, by: other)
            marks.endLook(other)
            #expect(marks.floor(of: own, route) == 20)
            let last = marks.beginLook()
            marks.found(nil, of: own, route, by: last)
            #expect(!marks.mayHave(route, of: own), "a look that began after it sees it, or that it is gone")
        }
    }

    @Test func aDoubtfulWriteHoldsTheMarkUntilItsConnectionIsGone() {
        var marks = FreshMarks(own: own)
        let write = begin([20], &marks)
        marks.doubt(write)
        // Its call has ended all the same.
        marks.endWrite(write)
        look(finding: nil, &marks)
        #expect(marks.floor(of: own, route) == 20)
        marks.endDoubts()
        look(finding: nil, &marks)
        #expect(!marks.mayHave(route, of: own))
    }

    @Test func aDatabaseThatWasPutBackIsLookedAtFromTheHead() {
        var marks = FreshMarks(own: own)
        stored([20], &marks)
        let look = marks.beginLook()
        marks.know([route], of: dead)
        marks.distrust([9])
        #expect(marks.routes(of: own) == [route, 9] && !marks.isKnown(dead))
        #expect(marks.floor(of: own, route) == 0 && marks.floor(of: own, 9) == 0)
        marks.found(20, of: own, route, by: look)
        #expect(marks.floor(of: own, route) == 0, "it looked before that")
    }

    // MARK: The dead

    @Test func aDeadLifeHasWhatWasFoundOnce() {
        var marks = FreshMarks(own: own)
        marks.know([5, 6], of: dead)
        look(finding: 30, of: dead, &marks)
        #expect(marks.floor(of: dead, 5) == 30 && marks.floor(of: dead, 6) == 0)
        // This life's writes say nothing of it.
        stored([3], &marks)
        look(finding: nil, of: dead, &marks)
        #expect(marks.routes(of: dead) == [6])
        marks.keep(dead: [])
        #expect(!marks.isKnown(dead) && marks.mayHave(5, of: dead))
    }

    private func begin(_ seqs: [Int64], _ marks: inout FreshMarks) -> Int {
        let write = marks.beginWrite()
        marks.add([route: seqs.min() ?? 0], to: write)
        return write
    }

    private func stored(_ seqs: [Int64], _ marks: inout FreshMarks) {
        let write = begin(seqs, &marks)
        marks.endWrite(write)
    }

    private func look(finding first: Int64?, of owner: Int64? = nil, _ marks: inout FreshMarks) {
        let look = marks.beginLook()
        marks.found(first, of: owner ?? own, route, by: look)
        marks.endLook(look)
    }

    // MARK: Full looks

    @Test func cheapLooksAreAlwaysFull() {
        var looks = FullLooks()
        for second in 1...1_000 {
            let now = MonotonicTime(second) * 1_000_000_000
            #expect(looks.isDue(.waiting, now: now))
            looks.took(.waiting, 5_000_000, now: now)
        }
    }

    @Test func dearLooksTakeAHundredthOfTheTime() {
        var looks = FullLooks()
        var full = 0
        for second in 1...10_000 {
            let now = MonotonicTime(second) * 1_000_000_000
            guard looks.isDue(.waiting, now: now) else { continue }
            full += 1
            looks.took(.waiting, 500_000_000, now: now)
            #expect(looks.isDue(.held, now: now), "each kind for itself")
        }
        #expect((190...210).contains(full))
    }

    @Test func howeverLongALookTakesTheNextComesWithinTenMinutes() {
        var looks = FullLooks()
        looks.took(.waiting, 3_600_000_000_000, now: 0)
        #expect(!looks.isDue(.waiting, now: 599_000_000_000))
        #expect(looks.isDue(.waiting, now: 601_000_000_000))
        looks.took(.waiting, 3_600_000_000_000, now: 0)
        looks.reset()
        #expect(looks.isDue(.waiting, now: 1))
    }

    // MARK: Places

    private let now: Timestamp = 1_900_000_000_000

    @Test func aLookBeginsAtWhatTheLastOneFound() {
        var marks = PlaceMarks()
        #expect(marks.start(of: "a") == (0, 1))
        marks.looked(for: "a", waiting: 500, due: now - 100_000, now: now)
        #expect(marks.start(of: "a") == (499, now - 100_000))
        #expect(marks.start(of: "b") == (0, 1))
    }

    /// What others write meanwhile is younger than a minute, or is found by a full look.
    @Test func whereNothingWasFoundItBeginsAMinuteAgo() {
        var marks = PlaceMarks()
        marks.looked(for: "a", waiting: nil, due: nil, now: now)
        #expect(marks.start(of: "a") == (SequenceGenerator.smallest(at: now - 60_000) - 1, now - 60_000))
        marks.looked(for: "a", waiting: nil, due: now + 5_000, now: now)
        #expect(marks.start(of: "a").dueFrom == now - 60_000)
        marks.releasedDead()
        #expect(marks.start(of: "a").dueFrom == 1)
    }

    @Test func whatThisBrokerWritesIsBelowNoMark() {
        var marks = PlaceMarks()
        marks.looked(for: "a", waiting: 500, due: now, now: now)
        marks.lookedForHeld(first: 500, now: now)
        marks.lookedForExpiring(first: 500, now: now)
        marks.written([Settlement(seq: 400, pending: [.init(held: "a", attempts: 1)])])
        #expect(marks.heldAbove == 399 && marks.expiringAbove == 499)
        marks.written([
            Settlement(seq: 300, pending: [.init(group: "a", attempts: 1, dueAt: 0)]),
            Settlement(seq: 310, pending: [.init(group: "a", attempts: 1, dueAt: 77)]),
        ])
        #expect(marks.start(of: "a") == (299, 77) && marks.expiringAbove == 299)
    }
}
