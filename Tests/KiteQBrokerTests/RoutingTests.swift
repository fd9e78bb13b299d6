import Dispatch
import KiteQCore
import NIOConcurrencyHelpers
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

    // MARK: What takes long

    private static let dear = (0..<5).map {
        Binding(group: "greedy", topic: "trade", messageType: "(.?){990}Z\($0)", kind: .regx)
    }
    private static let long = String(repeating: "x", count: 250)

    @Test func whatTakesLongIsNotDoneAtOnceAndIsKnownForGood() {
        let routing = Routing()
        var recent = RecentRoute()
        func isDear(_ messageType: String) -> Bool {
            guard case .dear = routing.find(topic: "trade", messageType: messageType) else { return false }
            return recent.way(topic: "trade", messageType: messageType, in: routing, isAllowed: { true }) == nil
                && routing.soon(topic: "trade", messageType: messageType) == nil
        }
        let all = Binding.fanout(group: "all", topic: "trade", persistent: false)
        let table = BindingTable(Self.dear + [all])
        routing.set(table, of: ["trade"])
        #expect(!isDear("z") && isDear(Self.long))
        #expect(groups(routing.route(topic: "trade", messageType: Self.long)) == [])
        #expect(!isDear(Self.long))
        // Presence changes who gets it, and nothing of what was found.
        routing.setPresence(of: "all", true)
        #expect(!isDear(Self.long) && groups(routing.soon(topic: "trade", messageType: Self.long)) == ["all"])
        routing.setElsewhere(["greedy"], shard: 0)
        #expect(!isDear(Self.long))
        // Nor does what others declare.
        routing.set(
            BindingTable(Self.dear + [all, Binding(group: "b", topic: "trade", messageType: Self.long)], after: table),
            of: ["trade"])
        #expect(groups(routing.soon(topic: "trade", messageType: Self.long)) == ["all", "b"])
    }

    /// Connecting and leaving in a loop costs nobody anything.
    @Test func whereItDoesNotMatterWhoIsHereRoutesAreKept() {
        let routing = Routing()
        routing.set(
            BindingTable([
                Binding(group: "kept", topic: "trade", messageType: "paid"),
                Binding(group: "volatile", topic: "trade", messageType: "paid", persistent: false),
            ]), of: ["trade"])
        let (version, routes) = (routing.version, routing.routesVersion)
        routing.setPresence(of: "kept", true)
        routing.setElsewhere(["kept", "nobody"], shard: 0)
        #expect(routing.version == version + 2 && routing.routesVersion == routes)
        routing.setElsewhere(["kept", "volatile"], shard: 0)
        #expect(routing.routesVersion == routes + 1)
        routing.setPresence(of: "volatile", true)
        #expect(routing.routesVersion == routes + 2)
    }

    @Test func whatIsInUseOutlivesAFloodOfOthers() {
        var cache = GenerationCache<Int, Int>(limit: 10)
        func value(_ key: Int) -> Int? { cache.value(of: key, weight: { _ in 1 }) }
        cache.insert(1, for: -1, weight: 1)
        cache.insert(2, for: -2, weight: 1)
        for number in 0..<100 {
            cache.insert(number, for: number, weight: 1)
            #expect(value(-1) == 1)
        }
        #expect(value(-2) == nil && value(99) == 99 && value(80) == nil)
        // One heavy one is a generation.
        cache.insert(7, for: 7, weight: 100)
        #expect(value(7) == 7)
        cache.insert(8, for: 8, weight: 1)
        cache.insert(9, for: 9, weight: 100)
        cache.insert(10, for: 10, weight: 1)
        #expect(value(9) == 9 && value(10) == 10 && value(99) == nil)
    }

    /// Route after route, whoever binds and unbinds meanwhile.
    @Test func whatIsFoundHoldsThoughBindingsChange() {
        let routing = Routing()
        var table = BindingTable(Self.dear)
        routing.set(table, of: ["trade"])
        #expect(groups(routing.route(topic: "trade", messageType: Self.long)) == [])
        for number in 0..<50 {
            let all = Binding.fanout(group: "g\(number)", topic: "trade")
            let own = Binding(group: "h\(number)", topic: "trade", messageType: "x$", kind: .regx)
            table = BindingTable(Self.dear + [all, own], after: table)
            routing.set(table, of: ["trade"])
            #expect(
                groups(routing.soon(topic: "trade", messageType: Self.long)) == ["g\(number)", "h\(number)"],
                "the new one is tried alone")
        }
    }

    /// What others saved may be another choice of what is too much.
    @Test func savedBindingsOverABoundTellNothing() {
        let routing = Routing()
        let paid = Binding(group: "a", topic: "feed", messageType: "paid")
        let many = (0..<7).map { Binding(group: "b", topic: "feed", messageType: "(.?){990}Z\($0)", kind: .regx) }
        func route(_ bindings: [Binding]) -> [String]? {
            groups(routing.route(topic: "feed", messageType: "paid", by: BindingTable(bindings)))
        }
        #expect(route([paid]) == ["a"] && route([paid] + many.prefix(5)) == ["a"] && route([paid] + many) == nil)
        let bad = Binding(group: "b", topic: "feed", messageType: "(", kind: .regx)
        #expect(route([paid, bad]) == ["a"], "that one matches nothing anywhere")
    }

    // MARK: The finder

    /// One who asks for much waits for himself.
    @Test func groupsHaveTheirTurns() async {
        let routing = Routing()
        let finder = RouteFinder(routing)
        let (began, start) = AsyncStream<Void>.makeStream()
        let gate = DispatchSemaphore(value: 0)
        let order = NIOLockedValueBox<[String]>([])
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                _ = await finder.found(for: "greedy") { _ -> Bool? in
                    start.finish()
                    gate.wait()
                    return true
                }
            }
            for await _ in began {}
            let (done, finish) = AsyncStream<Void>.makeStream()
            for group in ["greedy", "greedy", "greedy", "modest"] {
                finder.find(topic: "trade", messageType: "x", for: group) { _ in
                    let count = order.withLockedValue { order in
                        order.append(group)
                        return order.count
                    }
                    if count == 4 { finish.finish() }
                }
            }
            gate.signal()
            for await _ in done {}
        }
        #expect(order.withLockedValue { $0 }.prefix(2).contains("modest"))
    }

    @Test func whoHasLeftIsNotWorkedFor() async {
        let routing = Routing()
        let finder = RouteFinder(routing)
        routing.set(BindingTable(Self.dear), of: ["trade"])
        let (ended, end) = AsyncStream<Void>.makeStream()
        finder.find(topic: "trade", messageType: Self.long, for: "p", isWanted: { false }) { _ in end.finish() }
        for await _ in ended {}
        #expect(routing.soon(topic: "trade", messageType: Self.long) == nil)
        #expect(await finder.route(topic: "trade", messageType: Self.long, for: "p")?.members.isEmpty == true)
        #expect(await finder.route(topic: "feed", messageType: Self.long, for: "p") == nil)
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
