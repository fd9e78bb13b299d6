import SeededRandom
import Testing

@testable import KiteQCore

@Suite struct RecentIDsTests {
    private static let second: MonotonicTime = 1_000_000_000

    private static func id(_ n: Int) -> MessageID { MessageID(high: 0, low: UInt64(n)) }

    @Test func knowsAnIDForAMinuteAndNotLonger() {
        var recent = RecentIDs(limit: 10)
        #expect(!recent.contains(Self.id(1), now: 0))
        recent.insert(Self.id(1), now: 5)
        #expect(recent.contains(Self.id(1), now: 5))
        #expect(recent.contains(Self.id(1), now: 5 + 60 * Self.second))
        #expect(!recent.contains(Self.id(1), now: 6 + 60 * Self.second))
        #expect(!recent.contains(Self.id(2), now: 5))
    }

    @Test func insertedAgainItStartsAnew() {
        var recent = RecentIDs(limit: 10, age: 10)
        recent.insert(Self.id(1), now: 0)
        recent.insert(Self.id(1), now: 8)
        #expect(recent.count == 1)
        #expect(recent.contains(Self.id(1), now: 18))
        recent.insert(Self.id(2), now: 12)
        #expect(recent.contains(Self.id(1), now: 18) && recent.count == 2)
        #expect(!recent.contains(Self.id(1), now: 19))
    }

    @Test(arguments: [1, 2, 3, 63, 64, 65, 1_000]) func theOldestGoesFirst(_ limit: Int) {
        var recent = RecentIDs(limit: limit)
        for n in 0..<limit * 3 {
            recent.insert(Self.id(n), now: 0)
            #expect(recent.count == min(n + 1, limit))
            #expect(recent.contains(Self.id(n), now: 0))
            #expect(recent.contains(Self.id(max(0, n - limit + 1)), now: 0))
            if n >= limit { #expect(!recent.contains(Self.id(n - limit), now: 0)) }
        }
    }

    @Test(arguments: [0, -1, Int.min]) func withoutALimitToFillItKnowsNothing(_ limit: Int) {
        var recent = RecentIDs(limit: limit)
        recent.insert(Self.id(1), now: 0)
        #expect(recent.count == 0 && !recent.contains(Self.id(1), now: 0))
    }

    @Test func whatIsOldIsLetGoLittleByLittle() {
        var recent = RecentIDs(limit: 10_000, age: 10)
        for n in 0..<1_000 { recent.insert(Self.id(n), now: 0) }
        for n in 1_000..<1_100 { recent.insert(Self.id(n), now: 100) }
        #expect(recent.count == 700)
        for n in 1_100..<1_400 { recent.insert(Self.id(n), now: 100) }
        #expect(recent.count == 400)
        #expect((1_000..<1_400).allSatisfy { recent.contains(Self.id($0), now: 100) })
        #expect(!(0..<1_000).contains { recent.contains(Self.id($0), now: 100) })
    }

    @Test(arguments: 0..<30 as Range<UInt64>) func agreesWithAListOfAll(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let limit = Int.random(in: 1...(seed < 15 ? 8 : 200), using: &random)
        let age = MonotonicTime.random(in: 1...500, using: &random)
        let ids = (0..<(limit * 3)).map { n in
            seed.isMultiple(of: 2) ? Self.id(n) : MessageID.random(using: &random)
        }
        var recent = RecentIDs(limit: limit, age: age)
        var all: [(id: MessageID, time: MonotonicTime)] = []
        var now: MonotonicTime = 0
        for _ in 0..<3_000 {
            now += Bool.random(using: &random) ? 0 : .random(in: 0...20, using: &random)
            let id = ids.randomElement(using: &random) ?? Self.id(0)
            recent.insert(id, now: now)
            all.append((id, now))
            #expect(recent.count <= limit)
            for id in [id, ids.randomElement(using: &random) ?? id, ids.randomElement(using: &random) ?? id] {
                let known = all.suffix(limit).contains { $0.id == id && now - $0.time <= age }
                guard recent.contains(id, now: now) == known else {
                    Issue.record("\(id) at \(now): known is \(known)")
                    return
                }
            }
        }
    }

    @Test func manyThatCollideInEachHalfAreFoundAgain() {
        var recent = RecentIDs(limit: 50_000)
        let ids = (0..<50_000 as Range<UInt64>).map { n in
            n.isMultiple(of: 2) ? MessageID(high: n, low: 0) : MessageID(high: n << 40, low: n << 40)
        }
        for id in ids { recent.insert(id, now: 0) }
        #expect(recent.count == 50_000)
        #expect(ids.allSatisfy { recent.contains($0, now: 0) })
        #expect(!recent.contains(MessageID(high: 1, low: 0), now: 0))
    }

    @Test func aCopyIsItsOwn() {
        var recent = RecentIDs(limit: 10)
        recent.insert(Self.id(1), now: 0)
        var copy = recent
        copy.insert(Self.id(2), now: 0)
        #expect(copy.contains(Self.id(1), now: 0) && copy.contains(Self.id(2), now: 0))
        #expect(!recent.contains(Self.id(2), now: 0))
    }
}
