import Testing

@testable import KiteQCore

@Suite struct StrayWatchTests {
    private let next = FreshPlace(route: 7, seq: 500)

    private func expect(_ watch: inout StrayWatch, misses seq: Int64, _ isStray: Bool, _ why: Comment? = nil) {
        let missed = watch.misses(seq)
        #expect(missed == isStray, why)
    }

    private func end(_ watch: inout StrayWatch, _ next: FreshPlace? = nil, now: MonotonicTime) {
        watch.endPage(next: next, now: now, interval: 30, again: 1)
    }

    @Test func oneThatTwoPassesMissIsAStray() {
        var watch = StrayWatch()
        #expect(watch.isDue(now: 0) && watch.place == nil)
        expect(&watch, misses: 5, false)
        end(&watch, next, now: 0)
        #expect(watch.isDue(now: 0) && watch.place == next, "a pass goes on at once")
        expect(&watch, misses: 5, false, "the same pass, whatever the page")
        expect(&watch, misses: 6, false)
        end(&watch, now: 0)
        #expect(!watch.isDue(now: 0) && watch.isDue(now: 1), "the next comes soon, for something was missing")
        expect(&watch, misses: 6, true)
        expect(&watch, misses: 8, false)
        end(&watch, now: 1)
        expect(&watch, misses: 6, false, "it was read again")
        expect(&watch, misses: 8, true)
    }

    @Test func whereNothingIsMissingItRests() {
        var watch = StrayWatch()
        end(&watch, now: 10)
        #expect(!watch.isDue(now: 39) && watch.isDue(now: 40))
        expect(&watch, misses: 5, false)
        end(&watch, now: 40)
        end(&watch, now: 41)
        expect(&watch, misses: 5, false, "there was a pass in between that did not miss it")
    }

    @Test func aPassThatFailsSaysNothing() {
        var watch = StrayWatch()
        expect(&watch, misses: 5, false)
        end(&watch, now: 0)
        expect(&watch, misses: 6, false)
        end(&watch, next, now: 1)
        watch.fail(until: 9)
        #expect(watch.place == nil && !watch.isDue(now: 8) && watch.isDue(now: 9))
        expect(&watch, misses: 5, true)
        expect(&watch, misses: 6, false)
    }

    @Test func whoHasAReasonLooksSoon() {
        var watch = StrayWatch()
        end(&watch, now: 10)
        watch.hurry(again: 5)
        #expect(!watch.isDue(now: 14) && watch.isDue(now: 15), "not more often than after a miss")
        end(&watch, now: 15)
        #expect(!watch.isDue(now: 44) && watch.isDue(now: 45), "once")
    }

    @Test func aReasonThatComesDuringAPassHasOneOfItsOwn() {
        var watch = StrayWatch()
        end(&watch, next, now: 10)
        watch.hurry(again: 5)
        #expect(watch.place == next)
        end(&watch, now: 11)
        #expect(watch.isDue(now: 12))
        end(&watch, now: 12)
        #expect(!watch.isDue(now: 41))
    }

    /// More than it remembers.
    @Test func allAreFoundInTheEnd() {
        var watch = StrayWatch()
        var left = Set(Int64(1)...1_300)
        for pass in 0..<20 {
            for seq in left.sorted() where watch.misses(seq) { left.remove(seq) }
            end(&watch, now: MonotonicTime(pass))
        }
        #expect(left.isEmpty)
    }
}
