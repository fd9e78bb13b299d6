import CZooKeeper
import Foundation
import LocalServers
import Logging
import Synchronization
import Testing

@testable import KiteQCore
@testable import KiteQRegistry

/// What clients do, and what is refused.
extension ZooKeeperRegistryTests {
    @Test func clientsPublishAndFindBrokers() async throws {
        try await LocalZooKeeper.withServer { server in
            try await withClient(of: server.server) { client in
                try await running(registry(of: server.server)) { consumer in
                    let brokers = consumer.brokers(of: "trade")
                    #expect(try await first(in: brokers).isEmpty)
                    let bindings = [
                        Binding(group: "g", topic: "trade", messageType: "a", watermark: 10),
                        .fanout(group: "g", topic: "feed", persistent: false),
                    ]
                    try await consumer.publish(bindings: bindings, of: "g")
                    let node = try #require(try await client.get("/kiteq/sub/trade/g-bind", watch: false))
                    #expect(node.stat.ephemeralOwner == 0)
                    #expect(try BindingDocument(node.data, topic: "trade", group: "g").bindings == [bindings[0]])
                    // Said again: not written again.
                    try await consumer.publish(bindings: bindings, of: "g")
                    #expect(try await client.exists("/kiteq/sub/trade/g-bind", watch: false)?.version == 0)
                    // A topic that is no longer named loses its node.
                    try await consumer.publish(bindings: [bindings[0]], of: "g")
                    #expect(try await client.exists("/kiteq/sub/feed/g-bind", watch: false) == nil)
                    try await consumer.announceProducer(group: "p", topics: ["trade", "feed"])
                    try await consumer.announceProducer(group: "p", topics: ["trade"])
                    #expect(
                        try await client.exists("/kiteq/pub/trade/p/this-host", watch: false)?.ephemeralOwner != 0)
                    #expect(try await client.exists("/kiteq/pub/feed/p/this-host", watch: false) == nil)

                    try await running(registry(of: server.server)) { first in
                        try await first.register(broker, topics: ["trade"])
                        _ = try await KiteQRegistryTests.first(in: brokers) { $0 == [broker] }
                        let second = registry(of: server.server)
                        let other = BrokerAddress(host: "127.0.0.1", port: 13801)
                        try await running(second) { second in
                            try await second.register(other, topics: ["trade"])
                            _ = try await KiteQRegistryTests.first(in: brokers) { $0 == [broker, other] }
                            let bound = try await KiteQRegistryTests.first(in: second.bindings(of: ["trade"]))
                            #expect(bound == [bindings[0]])
                        }
                        _ = try await KiteQRegistryTests.first(in: brokers) { $0 == [broker] }
                    }
                    _ = try await first(in: brokers) { $0.isEmpty }
                }
            }
        }
    }

    @Test func refusesWhatItCannotHold() async throws {
        let registry = registry(of: "127.0.0.1:1")
        for topic in ["", "a/b", ".", "..", "a\u{0}b", "a\nb", String(repeating: "x", count: 256)] {
            let error = await #expect(throws: RegistryError.self) {
                try await registry.register(broker, topics: [topic])
            }
            #expect(error?.code == .invalid)
        }
        let other = Binding(group: "h", topic: "trade", messageType: "a")
        await #expect(throws: RegistryError.self) { try await registry.publish(bindings: [other], of: "g") }
        let many = (0..<10_000).map { Binding(group: "g", topic: "trade", messageType: "\($0)") }
        await #expect(throws: RegistryError.self) { try await registry.publish(bindings: many, of: "g") }
        var ended = registry.brokers(of: "a/b").makeAsyncIterator()
        #expect(await ended.next() == nil)
    }

    @Test func aDigestKeepsOthersOut() async throws {
        try await LocalZooKeeper.withServer { server in
            try await running(registry(of: server.server, digest: "kite:secret")) { registry in
                try await registry.register(broker, topics: ["trade"])
                try await registry.publish(bindings: [.fanout(group: "g", topic: "trade")], of: "g")
                #expect(try await first(in: registry.bindings(of: ["trade"])).count == 1)
                try await withClient(of: server.server) { stranger in
                    let error = await #expect(throws: ZooKeeperError.self) {
                        try await stranger.get("/kiteq/sub/trade/g-bind", watch: false)
                    }
                    #expect(error?.code == ZNOAUTH.rawValue)
                }
                try await withClient(of: server.server, digest: "kite:secret") { friend in
                    let node = try await friend.get("/kiteq/sub/trade/g-bind", watch: false)
                    #expect(node != nil)
                }
                // A broker without the password is told so, rather than left waiting.
                try await running(self.registry(of: server.server)) { stranger in
                    let error = await #expect(throws: RegistryError.self) {
                        try await stranger.register(BrokerAddress(host: "127.0.0.1", port: 1), topics: ["trade"])
                    }
                    #expect(error?.code == .denied)
                }
            }
        }
    }
}
