import Synchronization
import Testing

@testable import KiteQCore

@Suite struct GateQueueTests {
    private struct Waiter: GateWaiter {
        var key: Int
        var origin: GateOrigin
        var here = Here()
        var isWaiting: Bool { here.isHere.load(ordering: .relaxed) }
    }

    private final class Here: Sendable {
        let isHere = Atomic<Bool>(true)
        func leave() { isHere.store(false, ordering: .relaxed) }
    }

    private var queue = GateQueue<Waiter>(.init(all: 10, ofAddress: 4, ofGroup: 4))
    private static let now: MonotonicTime = 1_000_000_000_000

    private static func origin(_ address: String, _ group: String = "g", in network: String? = nil) -> GateOrigin {
        GateOrigin(network: network ?? address, address: address, group: BindingName(group))
    }

    /// - Returns: what gives way.
    private mutating func add(
        _ number: Int, _ address: String, _ group: String = "g", in network: String? = nil, _ here: Here = Here()
    ) -> [Int] {
        let waiter = Waiter(key: number, origin: Self.origin(address, group, in: network), here: here)
        return queue.add(waiter, now: Self.now).map(\.key)
    }

    private mutating func all(now: MonotonicTime = now) -> [Int] {
        var found: [Int] = []
        while case .now(let waiter) = queue.next(now: now) {
            found.append(waiter.key)
            _ = queue.answered(waiter.key)
        }
        return found
    }

    private mutating func fail(_ times: Int, _ address: String, _ group: String = "g") {
        for _ in 0..<times { queue.failed(Self.origin(address, group), now: Self.now) }
    }

    // MARK: Turns

    @Test mutating func addressesAndTheirGroupsHaveTheirTurns() {
        for (number, address, group) in [
            (1, "a", "x"), (2, "a", "x"), (3, "a", "y"), (4, "b", "x"), (5, "b", "x"), (6, "c", "z"),
        ] {
            let out = add(number, address, group)
            #expect(out == [])
        }
        let order = all()
        #expect(order == [1, 4, 6, 3, 5, 2])
        #expect(queue.count == 0)
        _ = add(7, "a", "x")
        let again = all()
        #expect(again == [7])
    }

    /// However many addresses a network has, it has one turn among the others.
    @Test mutating func aNetworkHasOneTurnForAllOfItsAddresses() {
        for number in 1...6 { _ = add(number, "n\(number)", in: "n") }
        _ = add(7, "b")
        _ = add(8, "b", "other")
        let order = all()
        #expect(order == [1, 7, 2, 8, 3, 4, 5, 6])
    }

    // MARK: Too many

    @Test mutating func whatIsTooMuchGivesWayWhereMostWaits() {
        for number in 1...4 {
            let out = add(number, "a", "x")
            #expect(out == [])
        }
        var out = add(5, "a", "x")
        #expect(out == [5], "one address has its bound")
        out = add(6, "a", "y")
        #expect(out == [4], "and within it the group that has most gives way")
        for (number, address) in [(7, "b"), (8, "b"), (9, "c"), (10, "d"), (11, "e"), (12, "f")] {
            out = add(number, address)
            #expect(out == [])
        }
        #expect(queue.count == 10)
        out = add(13, "g")
        #expect(out == [3], "the longest line gives way to one who comes alone")
        out = add(14, "a", "x")
        #expect(out == [14], "and not to one of its own")
        let left = all().sorted()
        #expect(left == [1, 2, 6, 7, 8, 9, 10, 11, 12, 13])
    }

    /// Many that wait once each do not keep out one more.
    @Test mutating func whoComesAloneIsNotTheOneToGo() {
        for number in 1...4 { _ = add(number, "a", "\(number)") }
        let first = add(5, "a", "new")
        #expect(first.count == 1 && first != [5])
        var crowd = GateQueue<Waiter>(.init(all: 3, ofAddress: 3, ofGroup: 3))
        for number in 1...3 { _ = crowd.add(Waiter(key: number, origin: Self.origin("\(number)")), now: Self.now) }
        let out = crowd.add(Waiter(key: 4, origin: Self.origin("4")), now: Self.now).map(\.key)
        #expect(out.count == 1 && out != [4] && crowd.count == 3)
    }

    /// A network with as many addresses as it likes gives way as one.
    @Test mutating func theNetworkWhereMostWaitGivesWay() {
        for number in 1...7 { _ = add(number, "n\(number)", in: "n") }
        for number in 8...10 { _ = add(number, "b", "\(number)") }
        let out = add(11, "c")
        #expect(out.count == 1 && out[0] <= 7)
    }

    /// Guesses of one group do not fill the line of their address.
    @Test func oneGroupHasFewCasesOfItsAddress() {
        var queue = GateQueue<Waiter>(.init(all: 1_000, ofAddress: 100, ofGroup: 8))
        var out: [Int] = []
        for number in 1...50 {
            out += queue.add(Waiter(key: number, origin: Self.origin("a")), now: Self.now).map(\.key)
        }
        #expect(out == Array(9...50) && queue.count == 8)
        #expect(queue.add(Waiter(key: 51, origin: Self.origin("a", "other")), now: Self.now).isEmpty)
        #expect(queue.add(Waiter(key: 52, origin: Self.origin("b")), now: Self.now).isEmpty)
    }

    /// Those that could not be looked at soon anyway make room for those that can.
    @Test mutating func whoWouldWaitLongestForAPauseGivesWay() {
        fail(3, "a", "guessed")
        fail(5, "a", "guessed more")
        _ = add(1, "a", "x")
        _ = add(2, "a", "guessed")
        _ = add(3, "a", "guessed more")
        _ = add(4, "a", "y")
        var out = add(5, "a", "z")
        #expect(out == [3])
        out = add(6, "a", "u")
        #expect(out == [2])
        // And over all addresses, however many others wait at one.
        fail(3, "b")
        _ = add(7, "b")
        for number in 8...12 { _ = add(number, "\(number)") }
        out = add(13, "c")
        #expect(out == [7])
        out = add(14, "b")
        #expect(out == [14], "nor does a guesser take another's place")
    }

    /// Who came, asked and went takes no place from those who are here.
    @Test mutating func whoHasLeftGivesWayFirst() {
        let here = Here()
        _ = add(1, "a", "x", in: nil, here)
        for number in 2...4 { _ = add(number, "a", "\(number)") }
        here.leave()
        let out = add(5, "a", "new")
        #expect(out == [])
        let left = all()
        #expect(left == [2, 3, 4, 5])
    }

    // MARK: Those who want the same

    @Test mutating func thoseWhoWantTheSameAreOneCase() {
        for _ in 1...100 {
            let out = add(1, "a")
            #expect(out == [])
        }
        _ = add(1, "b")
        #expect(queue.count == 2)
        guard case .now = queue.next(now: Self.now) else { return #expect(Bool(false)) }
        // One more, while it is found out.
        _ = add(1, "a")
        #expect(queue.count == 1)
        #expect(queue.answered(1).count == 102)
        #expect(queue.count == 0 && all() == [])
    }

    /// Whoever comes and goes does not make a list grow of those who have been.
    @Test mutating func whoHasLeftIsNotKept() {
        let staying = Here()
        _ = add(1, "a", "g", in: nil, staying)
        for _ in 0..<10_000 {
            let here = Here()
            _ = add(1, "a", "g", in: nil, here)
            here.leave()
        }
        #expect(queue.answered(1).count <= 64)
    }

    // MARK: Pauses

    @Test mutating func whoFailsAgainAndAgainWaitsLongerAndLonger() {
        let origin = Self.origin("a")
        var (now, pauses): (MonotonicTime, [MonotonicTime]) = (Self.now, [])
        for number in 1...12 {
            _ = add(number, "a")
            var step = queue.next(now: now)
            if case .later(let time) = step {
                pauses.append(time - now)
                now = time
                step = queue.next(now: now)
            }
            guard case .now = step else { return #expect(Bool(false)) }
            _ = queue.answered(number)
            queue.failed(origin, now: now)
        }
        #expect(pauses.map { $0 / 1_000_000 } == [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000])
        // It holds for that group from that address alone, and ends with a success.
        _ = add(13, "b")
        _ = add(14, "a", "other")
        var free = all(now: now).sorted()
        #expect(free == [13, 14])
        queue.succeeded(origin)
        _ = add(15, "a")
        free = all(now: now)
        #expect(free == [15])
    }

    @Test mutating func afterALongTimeAFailureIsNothing() {
        let origin = Self.origin("a")
        for _ in 0..<9 { queue.failed(origin, now: 0) }
        _ = add(1, "a")
        let (soon, then) = (all(now: 7_999_999_999), all(now: 8_000_000_000))
        #expect(soon.isEmpty && then == [1])
        queue.failed(origin, now: 700_000_000_000)
        _ = add(2, "a")
        let later = all(now: 700_000_000_000)
        #expect(later == [2])
    }

    /// However many places fail, memory is bounded.
    @Test mutating func failuresOfManyPlacesAreForgotten() {
        for number in 0..<30_000 { queue.failed(Self.origin("\(number)"), now: MonotonicTime(number)) }
        for _ in 0..<3 { queue.failed(Self.origin("x"), now: 30_000) }
        _ = add(1, "x")
        let found = all(now: 30_000)
        #expect(found.isEmpty)
    }
}
