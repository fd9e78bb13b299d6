import KiteQCore
import Testing

@testable import KiteQBroker

@Suite struct RoutingTests {
    private func groups(_ route: Route?) -> [String]? { route.map { $0.members.map(\.group) } }

    @Test func namesCountByTheirBytes() {
        let routing = Routing()
        // One text in two spellings: é as one scalar, and as two.
        routing.set(
            BindingTable([
                Binding(group: "one", topic: "trade", messageType: "pay\u{E9}"),
                Binding(group: "two", topic: "trade", messageType: "paye\u{301}"),
            ]))
        var recent = RecentRoute()
        for _ in 0..<2 {
            #expect(groups(routing.route(topic: "trade", messageType: "pay\u{E9}")) == ["one"])
            #expect(groups(routing.route(topic: "trade", messageType: "paye\u{301}")) == ["two"])
            let one = recent.route(topic: "trade", messageType: "pay\u{E9}", in: routing)
            let two = recent.route(topic: "trade", messageType: "paye\u{301}", in: routing)
            #expect(groups(one) == ["one"] && groups(two) == ["two"])
        }
    }

    @Test func aConnectionForgetsItsRouteWhenAnythingChanges() {
        let routing = Routing()
        var recent = RecentRoute()
        func route() -> [String]? { groups(recent.route(topic: "trade", messageType: "paid", in: routing)) }
        #expect(route() == nil, "the bindings are not known")
        routing.set(BindingTable([Binding(group: "a", topic: "trade", messageType: "paid", persistent: false)]))
        #expect(route() == [])
        routing.setPresence(of: "a", true)
        #expect(route() == ["a"] && route() == ["a"])
        routing.setPresence(of: "a", false)
        #expect(route() == [])
        routing.setElsewhere(["a"], shard: 1)
        #expect(route() == ["a"])
        routing.setElsewhere([], shard: 1)
        #expect(route() == [])
        routing.set(BindingTable([Binding(group: "b", topic: "trade", messageType: "paid")]))
        #expect(route() == ["b"])
    }
}
