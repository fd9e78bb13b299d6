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
            ]), of: ["trade"])
        var recent = RecentRoute()
        for _ in 0..<2 {
            #expect(groups(routing.route(topic: "trade", messageType: "pay\u{E9}")) == ["one"])
            #expect(groups(routing.route(topic: "trade", messageType: "paye\u{301}")) == ["two"])
            let one = recent.found(topic: "trade", messageType: "pay\u{E9}", in: routing)
            let two = recent.found(topic: "trade", messageType: "paye\u{301}", in: routing)
            #expect(groups(one) == ["one"] && groups(two) == ["two"])
        }
    }

    @Test func aConnectionForgetsItsRouteWhenAnythingChanges() {
        let routing = Routing()
        var recent = RecentRoute()
        func route() -> [String]? { groups(recent.found(topic: "trade", messageType: "paid", in: routing)) }
        #expect(route() == nil, "the bindings are not known")
        routing.set(
            BindingTable([Binding(group: "a", topic: "trade", messageType: "paid", persistent: false)]), of: ["trade"])
        #expect(route() == [])
        routing.setPresence(of: "a", true)
        #expect(route() == ["a"] && route() == ["a"])
        routing.setPresence(of: "a", false)
        #expect(route() == [])
        routing.setElsewhere(["a"], shard: 1)
        #expect(route() == ["a"])
        routing.setElsewhere([], shard: 1)
        #expect(route() == [])
        routing.set(BindingTable([Binding(group: "b", topic: "trade", messageType: "paid")]), of: ["trade"])
        #expect(route() == ["b"])
    }

    @Test func ofATopicThatIsNotKnownItDoesNotSayThatNobodyIsBound() {
        let routing = Routing()
        var recent = RecentRoute()
        routing.set(BindingTable([Binding(group: "a", topic: "trade", messageType: "paid")]), of: ["trade", "empty"])
        #expect(groups(routing.route(topic: "trade", messageType: "paid")) == ["a"])
        #expect(groups(routing.route(topic: "trade", messageType: "other")) == [])
        #expect(groups(routing.route(topic: "empty", messageType: "paid")) == [], "known to have no bindings")
        for _ in 0..<2 { #expect(routing.route(topic: "feed", messageType: "paid") == nil) }
        #expect(recent.found(topic: "feed", messageType: "paid", in: routing) == nil)
        #expect(routing.knows("empty") && !routing.knows("feed"))
        // Names count by their bytes here, too.
        routing.set(BindingTable.empty, of: ["caf\u{E9}"])
        #expect(routing.route(topic: "cafe\u{301}", messageType: "paid") == nil && !routing.knows("trade"))
        #expect(groups(routing.route(topic: "caf\u{E9}", messageType: "paid")) == [])
    }

    @Test func anotherBrokersBindingsSayWhoIsBoundAndNeverThatNobodyIs() {
        let routing = Routing()
        let saved = BindingTable([
            Binding(group: "a", topic: "feed", messageType: "paid"),
            Binding(group: "b", topic: "feed", messageType: "shared"),
            Binding(group: "c", topic: "feed", messageType: "shared"),
            Binding(group: "d", topic: "feed", messageType: "here", persistent: false),
        ])
        func route(_ messageType: String, topic: String = "feed") -> [String]? {
            groups(routing.route(topic: topic, messageType: messageType, by: saved))
        }
        #expect(route("paid") == ["a"] && route("shared") == ["b", "c"])
        #expect(route("other") == nil && route("paid", topic: "trade") == nil)
        #expect(route("here") == [], "a group that is away, and asked not to be kept for")
        routing.setPresence(of: "d", true)
        #expect(route("here") == ["d"])
        let access = AccessRules(groups: [BindingName("c"): GroupAccess(subscribe: .only([]))])
        routing.set(BindingTable.empty, of: [], access: access)
        #expect(route("paid") == ["a"] && route("shared") == nil, "those who serve the topic may have other rules")
    }

    @Test func whoMayNotPublishIsAskedAboutUntilItMay() {
        let routing = Routing()
        var recent = RecentRoute()
        var asked = 0
        var may = false
        func isForbidden() -> Bool {
            let way = recent.way(topic: "trade", messageType: "paid", in: routing) {
                asked += 1
                return may
            }
            if case .forbidden = way { return true }
            return false
        }
        #expect(isForbidden() && isForbidden() && asked == 2)
        may = true
        routing.set(BindingTable([]), of: ["trade"])
        #expect(!isForbidden() && !isForbidden() && asked == 3, "then it is remembered")
    }
}

extension RecentRoute {
    /// The route, for a group that may publish; nil where it is not known.
    fileprivate mutating func found(topic: String, messageType: String, in routing: Routing) -> Route? {
        guard case .route(let route) = way(topic: topic, messageType: messageType, in: routing, isAllowed: { true })
        else { return nil }
        return route
    }
}
