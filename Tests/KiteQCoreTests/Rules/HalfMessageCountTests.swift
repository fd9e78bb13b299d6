import KiteQCore
import Testing

@Suite struct HalfMessageCountTests {
    @Test func whatIsUnderWayCounts() {
        var count = HalfMessageCount(found: 1)
        let (first, second) = (count.take(within: 2), count.take(within: 2))
        #expect(first == nil && second == 2)
        count.answered()
        #expect(count.count == 1, "it was refused")
        let third = count.take(within: 2)
        count.stored()
        count.answered()
        #expect(third == nil && count.count == 2)
        count.decided(2)
        #expect(count.count == 0)
    }

    @Test func aLookReplacesWhatWasCountedBeforeIt() {
        var count = HalfMessageCount()
        for _ in 0..<3 {
            _ = count.take(within: 10)
            count.stored()
            count.answered()
        }
        count.beginLook()
        count.decided(1)
        _ = count.take(within: 10)
        #expect(count.count == 3)
        // Another broker decided two.
        count.endLook(found: 1)
        #expect(count.count == 1, "none of the store, and one that is under way")
    }

    @Test func whatNobodyToldOfMakesNoDebt() {
        var count = HalfMessageCount()
        count.decided(5)
        let taken = (0..<3).map { _ in count.take(within: 2) }
        #expect(taken == [nil, nil, 2])
    }
}
