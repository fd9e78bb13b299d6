import Testing

@testable import KiteQCore
@testable import KiteQRegistry

@Suite(.timeLimit(.minutes(1)))
struct StaticRegistryTests {
    @Test func tellsWhatItWasGivenAndToldLater() async throws {
        let one = BrokerAddress(host: "h", port: 1)
        let two = BrokerAddress(host: "h", port: 2)
        let registry = StaticRegistry(brokers: [one: ["t"]], bindings: [.fanout(group: "g", topic: "t")])
        let bindings = registry.bindings(of: ["t"])
        let brokers = registry.brokers(of: "t")
        try await running(registry) { registry in
            #expect(registry.isConnected)
            #expect(try await first(in: bindings).count == 1)
            #expect(try await first(in: brokers) == [one])
            try await registry.register(two, topics: ["t"])
            #expect(try await first(in: brokers) == [one, two])
            try await registry.unregister()
            #expect(try await first(in: brokers) == [one])
            try await registry.publish(bindings: [.fanout(group: "h", topic: "t")], of: "h")
            #expect(try await first(in: bindings).map(\.group) == ["g", "h"])
            try await registry.publish(bindings: [], of: "g")
            #expect(try await first(in: bindings).map(\.group) == ["h"])
            registry.update(bindings: [.fanout(group: "i", topic: "other")])
            #expect(try await first(in: bindings).isEmpty)
            registry.update(brokers: [two: ["t"]])
            #expect(try await first(in: brokers) == [two])
        }
        for await _ in bindings {}
        for await _ in brokers {}
    }

    /// A stream's end may be told under a lock of its follower's task, and so must not wait for one under which it is woken.
    @Test func followersGoWhileThereIsNews() async throws {
        let registry = StaticRegistry()
        let brokers = [1, 2].map { [BrokerAddress(host: "h", port: $0): ["t"]] }
        for round in 0..<2_000 {
            await withTaskGroup(of: Void.self) { tasks in
                let followers = (0..<4).map { _ in
                    Task { for await _ in registry.brokers(of: "t") {} }
                }
                tasks.addTask {
                    for turn in 0..<20 { registry.update(brokers: brokers[turn % 2]) }
                }
                for _ in 0..<round % 20 { await Task.yield() }
                for follower in followers { follower.cancel() }
                for follower in followers { await follower.value }
            }
        }
        registry.update(brokers: brokers[0])
        #expect(try await first(in: registry.brokers(of: "t")) == Array(brokers[0].keys))
    }
}
