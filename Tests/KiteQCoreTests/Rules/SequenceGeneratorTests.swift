import SeededRandom
import Testing

@testable import KiteQCore

@Suite struct SequenceGeneratorTests {
    private static let epoch: Timestamp = 1_577_836_800_000
    private static let now: Timestamp = 1_795_219_251_123

    @Test func isMadeOfTimeCounterAndTag() {
        var generator = SequenceGenerator(incarnation: 0x5ABC)
        let first = generator.next(now: Self.now)
        #expect(first == (Self.now - Self.epoch) << 22 | 0xABC)
        #expect(generator.next(now: Self.now) == (Self.now - Self.epoch) << 22 | 1 << 12 | 0xABC)
        #expect(generator.next(now: Self.now + 1) == (Self.now + 1 - Self.epoch) << 22 | 0xABC)
        #expect(SequenceGenerator.timestamp(of: first) == Self.now)
    }

    @Test func manyInAMillisecondBorrowFromTheNext() {
        var generator = SequenceGenerator(incarnation: 1)
        let seqs = (0..<2_500).map { _ in generator.next(now: Self.now) }
        #expect(SequenceGenerator.timestamp(of: seqs[1_023]) == Self.now)
        #expect(SequenceGenerator.timestamp(of: seqs[1_024]) == Self.now + 1)
        #expect(SequenceGenerator.timestamp(of: seqs[2_048]) == Self.now + 2)
        #expect(zip(seqs, seqs.dropFirst()).allSatisfy { $0 + 4_096 == $1 })
        // The clock catches up.
        #expect(SequenceGenerator.timestamp(of: generator.next(now: Self.now + 1)) == Self.now + 2)
        #expect(SequenceGenerator.timestamp(of: generator.next(now: Self.now + 3)) == Self.now + 3)
    }

    @Test(arguments: 0..<20 as Range<UInt64>) func risesWhateverTheClockDoes(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let incarnation = Int64.random(in: 1...100_000, using: &random)
        var generator = SequenceGenerator(incarnation: incarnation)
        var clock = Self.now
        var last: Int64 = 0
        for _ in 0..<20_000 {
            switch Int.random(in: 0..<100, using: &random) {
            case 0: clock -= Int64.random(in: 0...86_400_000, using: &random)
            case 1: clock += Int64.random(in: 0...86_400_000, using: &random)
            case 2: clock = Int64.random(in: .min...0, using: &random)
            case 3: clock = Self.now
            case 4..<30: clock += 1
            default: break
            }
            let seq = generator.next(now: clock)
            guard seq > last, seq & 0xFFF == incarnation & 0xFFF, SequenceGenerator.timestamp(of: seq) >= clock else {
                Issue.record("\(seq) after \(last) at \(clock)")
                return
            }
            last = seq
        }
    }

    @Test(arguments: [
        Int64.min, -1, 0, 1, 4_095, 4_096, 4_097, (Self.now - Self.epoch) << 22 | 0xFFF,
        (Self.now + 500_000 - Self.epoch) << 22,
    ])
    func startsAboveTheFloor(_ floor: Int64) {
        for incarnation in [0, 1, 4_095, 4_096, 1_000_000] as [Int64] {
            for now in [0, Self.epoch, Self.now] {
                var generator = SequenceGenerator(incarnation: incarnation, above: floor)
                let seq = generator.next(now: now)
                #expect(seq > floor && seq > 0)
                #expect(SequenceGenerator.timestamp(of: seq) >= now || now == 0)
            }
        }
    }

    @Test func incarnationsOfOneTimeDiffer() {
        let seqs = (1...4_096 as ClosedRange<Int64>).map { incarnation in
            var generator = SequenceGenerator(incarnation: incarnation)
            return generator.next(now: Self.now)
        }
        #expect(Set(seqs).count == 4_096)
    }

    @Test func aNumberIsLargerThanAllAndHasATagOfItsOwn() throws {
        #expect(SequenceGenerator.incarnation(after: [], 5) == 5)
        #expect(SequenceGenerator.incarnation(after: [4_096 + 5, 7], 5) == 4_102)
        // All but one are taken, and then all.
        let known = Set((0..<4_096).filter { $0 != 77 }.map { Int64($0) })
        let number = try #require(SequenceGenerator.incarnation(after: known, 0))
        #expect(SequenceGenerator.tag(of: number) == 77 && number > 4_095)
        #expect(SequenceGenerator.incarnation(after: known.union([number]), 0) == nil)
    }

    @Test func aFloorThatComesLaterRaisesWhatFollows() {
        var (generator, other) = (SequenceGenerator(incarnation: 1), SequenceGenerator(incarnation: 2))
        let taken = SequenceGenerator.smallest(at: Self.now + 3_600_000)
        #expect(generator.next(now: Self.now) < taken)
        generator.raise(above: taken)
        let next = generator.next(now: Self.now)
        #expect(next > taken)
        generator.raise(above: 5)
        #expect(generator.next(now: Self.now) > next, "a lower one changes nothing")
        // What is ahead of any clock that can be meant is not counted on from, so that the seqs are never used up.
        #expect(SequenceGenerator.highestFloor(now: Self.now) > taken)
        #expect(SequenceGenerator.timestamp(of: SequenceGenerator.highestFloor(now: Self.now)) - Self.now <= 86_400_000)
        other.raise(above: SequenceGenerator.highestFloor(now: .max - 86_400_001) - 1)
        #expect(SequenceGenerator.timestamp(of: other.next(now: Self.now)) > Self.now)
    }

    @Test func agesAreAskedForByTheKey() {
        for time in [Self.epoch, Self.epoch + 1, Self.now, Self.now + 12_345] {
            let border = SequenceGenerator.smallest(at: time)
            #expect(SequenceGenerator.timestamp(of: border) == time)
            #expect(border == 0 || SequenceGenerator.timestamp(of: border - 1) == time - 1)
            var generator = SequenceGenerator(incarnation: 4_096)
            #expect(generator.next(now: time) >= border)
        }
        #expect(SequenceGenerator.smallest(at: .min) == 0)
        #expect(SequenceGenerator.smallest(at: 0) == 0)
        #expect(SequenceGenerator.smallest(at: .max) > 0)
    }

    @Test func lastsUntil2089() {
        var generator = SequenceGenerator(incarnation: 4_095)
        let last: Timestamp = Self.epoch + 1 << 41 - 1
        #expect(generator.next(now: last) == (1 << 41 - 1) << 22 | 0xFFF)
        // What is later counts on within the last millisecond, still positive.
        #expect(generator.next(now: .max) == (1 << 41 - 1) << 22 | 0x1FFF)
    }

    @Test func usedUpSeqsEndTheProcessAndDoNotWrapAround() async {
        await #expect(processExitsWith: .failure) {
            var generator = SequenceGenerator(incarnation: 1, above: .max - 4_096)
            _ = generator.next(now: 0)
            _ = generator.next(now: 0)
        }
    }
}
