import Testing

@testable import KiteQCore

@Suite struct PlaceThrottleTests {
    private var throttle = PlaceThrottle<Int>(ofPlace: 2, ofKind: 5)
    private let start = ContinuousClock.now

    private mutating func admitted(_ kind: Int, _ place: String, after time: Duration = .zero) -> Int? {
        throttle.admit(kind, from: place, now: start + time)
    }

    @Test mutating func aPlaceHasItsLinesAndSoHasAKind() {
        var (lines, told) = (0, 0)
        for place in 0..<4 {
            for _ in 0..<100 {
                guard let left = admitted(1, "\(place)") else { continue }
                lines += 1
                told += left
            }
        }
        #expect(lines == 5 && told == 196, "each line tells of those before it")
        let other = admitted(2, "0")
        #expect(other == 0, "another kind has lines of its own")
        let next = admitted(1, "9", after: .seconds(60))
        #expect(next == 395 - told, "all that were left out are told of once, wherever they came from")
        let after = admitted(1, "0", after: .seconds(60))
        #expect(after == 0)
    }

    /// However many places there are, memory and lines are bounded, and nothing is lost from the count.
    @Test mutating func manyPlacesAreForgotten() {
        var lines = 0
        for place in 0..<5_000 where admitted(1, "\(place)") != nil { lines += 1 }
        #expect(lines == 5)
        let next = admitted(1, "0", after: .seconds(61))
        #expect(next == 4_995)
    }
}
