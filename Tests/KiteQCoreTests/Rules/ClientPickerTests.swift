import Testing

@testable import KiteQCore

@Suite struct ClientPickerTests {
    private static let second: MonotonicTime = 1_000_000_000

    /// Clients that began to warm up at 0, for so many seconds each.
    private static func picker(_ seconds: [Int]) -> ClientPicker {
        var picker = ClientPicker()
        for seconds in seconds { picker.append(WarmUp(seconds: seconds, start: 0)) }
        return picker
    }

    private static func shares(
        _ picker: inout ClientPicker, picks: Int, now: MonotonicTime, hasRoom: (Int) -> Bool = { _ in true }
    ) -> [Int] {
        var shares = [Int](repeating: 0, count: picker.count)
        for _ in 0..<picks {
            if let index = picker.pick(now: now, hasRoom: hasRoom) { shares[index] += 1 }
        }
        return shares
    }

    @Test func nobodyIsPickedOfNone() {
        var picker = ClientPicker()
        #expect(picker.pick(now: 0) { _ in true } == nil)
        picker = Self.picker([0, 0])
        #expect(picker.pick(now: 1) { _ in false } == nil)
        picker = Self.picker([0, 60])
        #expect(picker.pick(now: 1) { _ in false } == nil)
    }

    @Test func warmClientsTakeTurns() {
        var picker = Self.picker([0, 0, 0])
        #expect((0..<7).map { _ in picker.pick(now: 0) { _ in true } } == [0, 1, 2, 0, 1, 2, 0])
        #expect((0..<4).map { _ in picker.pick(now: 0) { $0 != 1 } } == [2, 0, 2, 0])
        #expect(picker.pick(now: 0) { $0 == 0 } == 0)
        #expect(picker.pick(now: 0) { _ in true } == 1)
    }

    @Test func warmClientsAreNotAskedMoreThanNeeded() {
        var picker = Self.picker(Array(repeating: 0, count: 1_000))
        var asked = 0
        for _ in 0..<3_000 {
            _ = picker.pick(now: 0) { _ in
                asked += 1
                return true
            }
        }
        #expect(asked == 3_000)
    }

    @Test func aClientThatLeavesCostsNobodyItsTurn() {
        for gone in 0..<4 {
            for before in 0..<8 {
                var picker = Self.picker([0, 0, 0, 0])
                var names = ["a", "b", "c", "d"]
                for _ in 0..<before { _ = picker.pick(now: 0) { _ in true } }
                let expected = (0..<4).map { names[(before + $0) % 4] }.filter { $0 != names[gone] }
                picker.remove(at: gone)
                names.remove(at: gone)
                #expect((0..<3).compactMap { _ in picker.pick(now: 0) { _ in true }.map { names[$0] } } == expected)
            }
        }
        var picker = Self.picker([0])
        picker.remove(at: 0)
        #expect(picker.count == 0 && picker.pick(now: 0) { _ in true } == nil)
    }

    @Test(arguments: [(0, 0), (1, 64), (15, 768), (30, 1_536), (45, 2_304), (60, 3_072)])
    func shareRisesWithTheWeight(_ seconds: Int64, _ share: Int) {
        // One warm, one warming: weights 1,024 and w; of 1,024 + w picks w are the second's.
        var picker = Self.picker([0, 60])
        let weight = Int(WarmUp(seconds: 60, start: 0).weight(now: seconds * Self.second))
        let picks = 3 * (1_024 + weight)
        let shares = Self.shares(&picker, picks: picks, now: seconds * Self.second)
        #expect(abs(shares[1] - 3 * weight) <= 1)
        #expect(abs(shares[1] - share) <= 15)
        #expect(shares[0] + shares[1] == picks)
    }

    @Test func sharesAreSmooth() {
        // A quarter of the weight is every fifth turn, not a run at the end.
        var picker = Self.picker([0, 4])
        let turns = (0..<100).map { _ in picker.pick(now: Self.second) { _ in true } }
        let cold = turns.indices.filter { turns[$0] == 1 }
        #expect(cold.count == 20)
        #expect(zip(cold, cold.dropFirst()).allSatisfy { $1 - $0 == 5 })
    }

    @Test func aClientWithoutWeightYetGetsNoneWhileAnotherHasRoom() {
        var picker = Self.picker([0, 60, 0])
        #expect(Self.shares(&picker, picks: 1_000, now: 0) == [500, 0, 500])
    }

    @Test func theOnlyOneAliveGetsThemAll() {
        var picker = Self.picker([60])
        #expect(Self.shares(&picker, picks: 100, now: 0) == [100])
        #expect(Self.shares(&picker, picks: 100, now: Self.second) == [100])
        picker = Self.picker([60, 60, 60])
        #expect(Self.shares(&picker, picks: 300, now: 0) == [100, 100, 100])
        picker = Self.picker([0, 60])
        #expect(Self.shares(&picker, picks: 100, now: 0) { $0 == 1 } == [0, 100])
    }

    @Test func growsToItsFullShareOverItsTime() {
        var picker = Self.picker([0, 10])
        var taken = [0, 0]
        let picks = 10_000
        for pick in 0..<picks {
            let now = Self.second * 10 * MonotonicTime(pick) / MonotonicTime(picks)
            if let index = picker.pick(now: now, hasRoom: { _ in true }) { taken[index] += 1 }
        }
        // The integral of w / (1 + w) from 0 to 1 is 1 - ln 2.
        #expect(abs(Double(taken[1]) / Double(picks) - 0.3069) < 0.003)
        #expect(Self.shares(&picker, picks: 100, now: Self.second * 10) == [50, 50])
    }

    @Test func afterTheWarmingClientLeftAllIsPlainAgain() {
        var picker = Self.picker([0, 60, 0])
        _ = Self.shares(&picker, picks: 10, now: Self.second)
        picker.remove(at: 1)
        var asked = 0
        for _ in 0..<10 {
            _ = picker.pick(now: Self.second) { _ in
                asked += 1
                return true
            }
        }
        #expect(asked == 10)
    }

    @Test(arguments: 0..<10 as Range<UInt64>) func picksOnlyWhoHasRoomAndAlwaysSomeone(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var picker = ClientPicker()
        var now: MonotonicTime = 0
        for _ in 0..<20_000 {
            now += .random(in: 0...Self.second / 100, using: &random)
            switch Int.random(in: 0..<100, using: &random) {
            case 0 where picker.count < 8:
                picker.append(WarmUp(seconds: .random(in: 0...30, using: &random), start: now))
            case 1 where picker.count > 0: picker.remove(at: .random(in: 0..<picker.count, using: &random))
            default: break
            }
            let room = (0..<picker.count).map { _ in Bool.random(using: &random) }
            let picked = picker.pick(now: now) { room[$0] }
            guard picked.map({ room[$0] }) ?? !room.contains(true) else {
                Issue.record("picked \(String(describing: picked)) of \(room)")
                return
            }
        }
    }
}
