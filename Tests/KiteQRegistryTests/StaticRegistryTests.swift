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
}
