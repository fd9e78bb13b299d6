import Testing

@testable import KiteQAdmin

/// Which connection makes way, and which is there for the probe alone.
@Suite struct ConnectionPlacesTests {
    private func places(all: Int = 4, address: Int = 3, reserve: Int = 2) -> ConnectionPlaces<Int> {
        var limits = AdminLimits()
        (limits.maxConnections, limits.maxConnectionsPerAddress, limits.reserve) = (all, address, reserve)
        return ConnectionPlaces(limits)
    }

    /// Enters connections, and begins a request on each.
    private func enter(_ ids: Range<Int>, from address: String, busy: Bool, _ places: inout ConnectionPlaces<Int>) {
        for id in ids {
            let entry = places.enter(id, from: address)
            #expect(entry == .stays(insteadOf: nil), "\(id)")
            guard busy else { continue }
            let isIn = places.begin(id, isProbe: false)
            #expect(isIn, "\(id)")
        }
    }

    @Test func theLongestIdleOneOfTheAddressMakesWay() {
        var places = places()
        enter(0..<3, from: "a", busy: false, &places)
        enter(3..<4, from: "b", busy: false, &places)
        // The first has just been answered, and the second is at work.
        _ = places.begin(0, isProbe: false)
        places.end(0)
        _ = places.begin(1, isProbe: false)
        let entries = [places.enter(4, from: "a"), places.enter(5, from: "a")]
        #expect(entries == [.stays(insteadOf: 2), .stays(insteadOf: 0)])
    }

    @Test func beyondAllWhoeverHasTheMostIdleOnesLosesOne() {
        var places = places(all: 4, address: 4)
        enter(0..<1, from: "a", busy: false, &places)
        enter(1..<4, from: "b", busy: false, &places)
        let entry = places.enter(4, from: "c")
        #expect(entry == .stays(insteadOf: 1))
    }

    @Test func whereAllAreBusyTheProbeIsAnswered() {
        var places = places()
        enter(0..<3, from: "a", busy: true, &places)
        for id in 3..<20 {
            let entry = places.enter(id, from: "a")
            // Two of them at a time: the older one has been answered.
            #expect(entry == .stays(insteadOf: id < 5 ? nil : id - 2))
            let answers = [places.begin(id, isProbe: false), places.begin(id, isProbe: true)]
            #expect(answers == [false, true])
            places.end(id)
        }
        // Others are not concerned.
        let other = places.enter(30, from: "b")
        let isIn = places.begin(30, isProbe: false)
        #expect(other == .stays(insteadOf: nil) && isIn)
    }

    @Test func whereTheReserveIsAtWorkNobodyElseIsTaken() {
        var places = places()
        enter(0..<3, from: "a", busy: true, &places)
        for id in 3..<5 {
            _ = places.enter(id, from: "a")
            _ = places.begin(id, isProbe: true)
        }
        let refused = places.enter(5, from: "a")
        places.end(3)
        let taken = places.enter(5, from: "a")
        #expect(refused == .refused && taken == .stays(insteadOf: 3))
    }

    @Test func oneOfTheReserveTakesAFreePlace() {
        var places = places()
        enter(0..<3, from: "a", busy: true, &places)
        _ = places.enter(3, from: "a")
        places.leave(0)
        let isIn = places.begin(3, isProbe: false)
        #expect(isIn)
        // All are taken again: it counts now.
        _ = places.enter(4, from: "a")
        let isFourthIn = places.begin(4, isProbe: false)
        #expect(!isFourthIn)
    }

    @Test func whatHasLeftCountsNoMore() {
        var places = places()
        for round in 0..<100 {
            enter(round * 10..<round * 10 + 3, from: "a", busy: true, &places)
            for id in round * 10..<round * 10 + 3 { places.leave(id) }
        }
        enter(2_000..<2_003, from: "a", busy: true, &places)
    }
}
