import Testing

@testable import KiteQCore

@Suite struct GateQueueTests {
    private var queue = GateQueue<Int>(limit: 10, limitOfAddress: 4)

    private mutating func add(_ number: Int, _ address: String, _ group: String = "g") -> Int? {
        queue.add(number, from: address, of: BindingName(group))?.content
    }

    private mutating func all(now: MonotonicTime = 0) -> [Int] {
        var found: [Int] = []
        while case .now(let entry) = queue.next(now: now) { found.append(entry.content) }
        return found
    }

    @Test mutating func addressesAndTheirGroupsHaveTheirTurns() {
        for (number, address, group) in [
            (1, "a", "x"), (2, "a", "x"), (3, "a", "y"), (4, "b", "x"), (5, "b", "x"), (6, "c", "z"),
        ] {
            let out = add(number, address, group)
            #expect(out == nil)
        }
        let order = all()
        #expect(order == [1, 4, 6, 3, 5, 2])
        #expect(queue.count == 0)
        _ = add(7, "a", "x")
        let again = all()
        #expect(again == [7])
    }

    @Test mutating func whatIsTooMuchGivesWayWhereMostWaits() {
        for number in 1...4 {
            let out = add(number, "a", "x")
            #expect(out == nil)
        }
        var out = add(5, "a", "x")
        #expect(out == 5, "one address has its bound")
        out = add(6, "a", "y")
        #expect(out == 4, "and within it the group that has most gives way")
        for (number, address) in [(7, "b"), (8, "b"), (9, "c"), (10, "d"), (11, "e"), (12, "f")] {
            out = add(number, address)
            #expect(out == nil)
        }
        #expect(queue.count == 10)
        out = add(13, "g")
        #expect(out == 3, "the longest line gives way to one who comes alone")
        out = add(14, "a", "x")
        #expect(out == 14, "and not to one of its own")
        let left = all().sorted()
        #expect(left == [1, 2, 6, 7, 8, 9, 10, 11, 12, 13])
    }

    /// Many that wait once each do not keep out one more.
    @Test mutating func whoComesAloneIsNotTheOneToGo() {
        for number in 1...4 { _ = add(number, "a", "\(number)") }
        let first = add(5, "a", "new")
        #expect(first != nil && first != 5)
        for number in 6...11 { _ = add(number, "\(number)") }
        var crowd = GateQueue<Int>(limit: 3, limitOfAddress: 3)
        for number in 1...3 { _ = crowd.add(number, from: "\(number)", of: BindingName("g")) }
        let out = crowd.add(4, from: "4", of: BindingName("g"))?.content
        #expect(out != nil && out != 4 && crowd.count == 3)
    }

    @Test mutating func whoFailsAgainAndAgainWaitsLongerAndLonger() {
        let (place, group) = ("a", BindingName("g"))
        var (now, pauses): (MonotonicTime, [MonotonicTime]) = (1_000_000_000_000, [])
        for number in 1...12 {
            _ = add(number, place)
            var step = queue.next(now: now)
            if case .later(let time) = step {
                pauses.append(time - now)
                now = time
                step = queue.next(now: now)
            }
            guard case .now = step else { return #expect(Bool(false)) }
            queue.failed(place, group, now: now)
        }
        #expect(pauses.map { $0 / 1_000_000 } == [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000])
        // It holds for that group from that address alone, and ends with a success.
        _ = add(13, "b")
        _ = add(14, "a", "other")
        var free = all(now: now).sorted()
        #expect(free == [13, 14])
        queue.succeeded(place, group)
        _ = add(15, place)
        free = all(now: now)
        #expect(free == [15])
    }

    @Test mutating func afterALongTimeAFailureIsNothing() {
        let group = BindingName("g")
        for _ in 0..<9 { queue.failed("a", group, now: 0) }
        _ = add(1, "a")
        let (soon, then) = (all(now: 7_999_999_999), all(now: 8_000_000_000))
        #expect(soon.isEmpty && then == [1])
        queue.failed("a", group, now: 700_000_000_000)
        _ = add(2, "a")
        let later = all(now: 700_000_000_000)
        #expect(later == [2])
    }

    /// However many places fail, memory is bounded.
    @Test mutating func failuresOfManyPlacesAreForgotten() {
        for number in 0..<30_000 { queue.failed("\(number)", BindingName("g"), now: MonotonicTime(number)) }
        for _ in 0..<3 { queue.failed("x", BindingName("g"), now: 30_000) }
        _ = add(1, "x")
        let found = all(now: 30_000)
        #expect(found.isEmpty)
    }
}
