import Synchronization
import Testing

@testable import KiteQCore

@Suite struct BindingRouteCacheTests {
    private let table = BindingTable([Binding(group: "g", topic: "t", messageType: "^a", kind: .regx)])

    @Test func answersAsTheTableDoes() {
        var cache = RouteCache(table: table)
        for _ in 0..<2 {
            #expect(cache.route(topic: "t", messageType: "ab").map(\.group) == ["g"])
            #expect(cache.route(topic: "t", messageType: "b").isEmpty)
            #expect(cache.route(topic: "u", messageType: "ab").isEmpty)
        }
        #expect(cache.count == 3)
    }

    @Test func makesEachRouteOnce() {
        let made = Counter()
        var cache = RouteCache(table: table, make: { made.add($0.count) })
        for _ in 0..<5 { _ = cache.route(topic: "t", messageType: "ab") }
        #expect(made.calls == 1)
    }

    @Test func anotherTableForgetsEverything() {
        var cache = RouteCache(table: table)
        #expect(cache.route(topic: "t", messageType: "ab").count == 1)
        cache.table = .empty
        #expect(cache.count == 0)
        #expect(cache.route(topic: "t", messageType: "ab").isEmpty)
    }

    @Test func isBoundedAndKeepsWhatIsInUse() {
        let made = Counter()
        var cache = RouteCache(table: table, capacity: 10, make: { made.add($0.count) })
        _ = cache.route(topic: "t", messageType: "used")
        for number in 0..<1000 {
            _ = cache.route(topic: "t", messageType: "flood-\(number)")
            _ = cache.route(topic: "t", messageType: "used")
            #expect(cache.count <= 10)
        }
        #expect(made.calls == 1001)
    }

    @Test func longNamesAreAnsweredButNotKept() {
        var cache = RouteCache(table: table)
        let long = String(repeating: "a", count: 256)
        #expect(cache.route(topic: "t", messageType: long).count == 1)
        #expect(cache.count == 0)
    }

    private final class Counter: Sendable {
        private let count = Mutex(0)
        var calls: Int { count.withLock { $0 } }
        func add(_ groups: Int) -> Int {
            count.withLock { $0 += 1 }
            return groups
        }
    }
}
