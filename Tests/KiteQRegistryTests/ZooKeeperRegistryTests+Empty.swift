import LocalServers
import Testing

@testable import KiteQCore
@testable import KiteQRegistry

/// Nodes that nobody needs any more.
extension ZooKeeperRegistryTests {
    private static func bindings(_ topics: [String]) -> [Binding] {
        topics.map { Binding(group: "g", topic: $0, messageType: "m") }
    }

    @Test func aTopicThatNobodyServesGoesWithItsLastBinding() async throws {
        try await LocalZooKeeper.withServer { server in
            try await withClient(of: server.server) { client in
                try await running(registry(of: server.server)) { registry in
                    try await registry.publish(bindings: Self.bindings(["a", "b", "served"]), of: "g")
                    try await registry.publish(
                        bindings: [Binding(group: "h", topic: "b", messageType: "m")], of: "h")
                    try await make("/kiteq/server/served", [], client)
                    try await registry.publish(bindings: Self.bindings(["c"]), of: "g")
                    #expect(
                        try await client.list("/kiteq/sub", watch: false)?.children == ["b", "c", "served"],
                        "another group is bound to b, and brokers watch what they serve")
                    #expect(try await client.list("/kiteq/sub/b", watch: false)?.children == ["h-bind"])
                    // An operator ends what is left.
                    try await registry.removeBindings(of: "h", from: ["b", "never-heard-of"])
                    try await registry.removeBindings(of: "g", from: ["c"])
                    #expect(try await client.list("/kiteq/sub", watch: false)?.children == ["served"])
                    try await registry.publish(bindings: Self.bindings(["c"]), of: "g")
                    #expect(try await client.get("/kiteq/sub/c/g-bind", watch: false) != nil, "it can come back")
                }
            }
        }
    }

    /// One that comes while the last one goes stays bound.
    @Test func whoBindsHimselfWhileAnotherLeavesStaysBound() async throws {
        try await LocalZooKeeper.withServer { server in
            try await withClient(of: server.server) { client in
                let (one, other) = (registry(of: server.server), registry(of: server.server))
                try await running(one) { one in
                    try await running(other) { other in
                        for round in 0..<20 {
                            let topic = "t-\(round)"
                            try await one.publish(bindings: Self.bindings([topic]), of: "g")
                            async let leaves: Void = one.publish(bindings: Self.bindings(["next-\(round)"]), of: "g")
                            async let comes: Void = other.publish(
                                bindings: [Binding(group: "h", topic: topic, messageType: "m")], of: "h")
                            _ = try await (leaves, comes)
                            #expect(try await client.list("/kiteq/sub/\(topic)", watch: false)?.children == ["h-bind"])
                        }
                    }
                }
            }
        }
    }
}
