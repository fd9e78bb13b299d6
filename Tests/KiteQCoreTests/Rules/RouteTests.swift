import SeededRandom
import Testing

@testable import KiteQCore

@Suite struct RouteTests {
    private static func route(_ members: (String, Bool)...) -> Route {
        Route(members.map { Route.Member(group: $0.0, persistent: $0.1) })
    }

    /// Worked out apart from this code; stored data depends on them.
    @Test func identitiesNeverChange() {
        #expect(Route.empty.id == 860_922_984_064_492_325)
        #expect(Self.route(("s-trade", true)).id == 1_732_926_563_571_982_746)
        #expect(Self.route(("s-trade", false)).id == 1_732_927_663_083_610_957)
        #expect(Self.route(("a", true), ("b", true)).id == 1_347_545_514_838_063_498)
        #expect(Self.route(("ab", true)).id == 2_819_304_051_731_219_759)
        #expect(Self.route(("a", true), ("b", false)).id == 1_347_546_614_349_691_709)
        #expect(Self.route(("s-\u{E9}", true)).id == 2_613_605_513_532_856_290)
        #expect(Route.halfID == 0 && Route.trackedID == -1)
    }

    @Test func orderDoesNotMatter() {
        var random = SplitMix64(seed: 6)
        let members = (0..<50).map { Route.Member(group: "s-\($0)", persistent: $0 % 3 == 0) }
        let route = Route(members)
        for _ in 0..<50 {
            let other = Route(members.shuffled(using: &random))
            #expect(other == route && other.id == route.id && other.members == route.members)
        }
        let groups = route.members.map(\.group)
        #expect(zip(groups, groups.dropFirst()).allSatisfy { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    }

    @Test func aGroupNamedTwiceCountsOnce() {
        #expect(Self.route(("a", false), ("b", true), ("a", true)) == Self.route(("a", true), ("b", true)))
        #expect(Self.route(("a", true), ("a", false), ("a", false)) == Self.route(("a", true)))
        #expect(Self.route(("a", false), ("a", false)) == Self.route(("a", false)))
    }

    @Test func groupsAreComparedByBytes() {
        let (composed, decomposed) = ("s-\u{E9}", "s-e\u{301}")
        #expect(composed == decomposed)
        #expect(Self.route((composed, true)) != Self.route((decomposed, true)))
        #expect(Self.route((composed, true)).id != Self.route((decomposed, true)).id)
        #expect(Self.route((composed, true), (decomposed, true)).members.count == 2)
        #expect(
            Set([Route.Member(group: composed, persistent: true), .init(group: decomposed, persistent: true)]).count
                == 2)
        // UTF-16 has it the other way round.
        #expect(Self.route(("\u{10000}", true), ("\u{FFFF}", true)).members.map(\.group) == ["\u{FFFF}", "\u{10000}"])
    }

    @Test func differentRoutesHaveDifferentPositiveIdentities() {
        let groups = (0..<12).map { "s-group-\($0)" }
        var ids = Set<RouteID>()
        for set in 1..<4_096 {
            for persistent in [true, false] {
                let members = groups.indices.filter { set >> $0 & 1 == 1 }
                    .map { Route.Member(group: groups[$0], persistent: persistent) }
                let id = Route(members).id
                #expect(id > 0 && id < 1 << 62)
                ids.insert(id)
            }
        }
        #expect(ids.count == 2 * 4_095)
    }

    @Test func emptyIsForNobody() {
        #expect(Route.empty.isEmpty && Route([]) == .empty)
        #expect(!Self.route(("a", false)).isEmpty)
    }
}
