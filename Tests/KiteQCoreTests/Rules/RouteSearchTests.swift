import Testing

@testable import KiteQCore

/// The groups of a route whose rows are lost.
@Suite struct RouteSearchTests {
    private func members(_ count: Int, persistent: (Int) -> Bool = { _ in true }) -> [Route.Member] {
        (0..<count).map { .init(group: "group \($0)", persistent: persistent($0)) }
    }

    @Test func anyChoiceOfAFewGroupsIsFound() {
        let groups = members(6) { $0 % 2 == 0 }
        for choice in 1..<1 << 6 {
            let route = Route(groups.indices.filter { choice & 1 << $0 != 0 }.map { groups[$0] })
            #expect(RouteSearch.route(route.id, among: groups.shuffled()) == route)
        }
    }

    @Test func ofManyThoseThatComeAndGoAreTried() {
        let groups = members(40) { $0 >= 8 }
        #expect(RouteSearch.route(Route(groups).id, among: groups) == Route(groups))
        let persistent = Route(groups.filter(\.persistent))
        #expect(RouteSearch.route(persistent.id, among: groups) == persistent)
        let some = Route(groups.filter { $0.persistent || ["group 3", "group 5"].contains($0.group) })
        #expect(RouteSearch.route(some.id, among: groups) == some)
        // Bound since.
        let fewer = Route(groups.filter { $0.group != "group 20" })
        #expect(RouteSearch.route(fewer.id, among: groups) == fewer)
    }

    @Test func whatCannotBeIsNotMadeUp() {
        let groups = members(5)
        #expect(RouteSearch.route(Route(members(6)).id, among: groups) == nil)
        #expect(RouteSearch.route(Route.empty.id, among: groups) == nil, "nobody is no route")
        #expect(RouteSearch.route(7, among: []) == nil)
        let other = members(5) { _ in false }
        #expect(RouteSearch.route(Route(other).id, among: groups) == nil, "whether it is kept for counts too")
    }
}
