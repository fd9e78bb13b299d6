import CZooKeeper
import Foundation
import LocalServers
import Logging
import Synchronization
import Testing

@testable import KiteQCore
@testable import KiteQRegistry

/// Against a real server, one for each test.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ZooKeeperRegistryTests {
    let broker = BrokerAddress(host: "127.0.0.1", port: 13800)

    func registry(
        of server: String, sessionTimeout: Duration = .seconds(4), digest: String? = nil,
        logger: Logger = Logger(label: "test")
    ) -> ZooKeeperRegistry {
        var configuration = ZooKeeperConfiguration(
            servers: [server], sessionTimeout: sessionTimeout, digest: digest, hostname: "this-host")
        configuration.initialBackoff = .milliseconds(50)
        configuration.maximumBackoff = .milliseconds(200)
        return ZooKeeperRegistry(configuration: configuration, logger: logger)
    }

    func json(_ types: String..., group: String = "g", topic: String = "trade") -> [UInt8] {
        let entries = types.map {
            #"{"groupId":"\#(group)","topic":"\#(topic)","messageType":"\#($0)","bindType":0,"version":"1.0.0","watermark":0,"persistent":true}"#
        }
        return Array("[\(entries.joined(separator: ","))]".utf8)
    }

    func make(_ path: String, _ data: [UInt8] = [], _ client: ZooKeeperClient) async throws {
        var step = ""
        let steps = path.split(separator: "/")
        for (index, name) in steps.enumerated() {
            step += "/\(name)"
            _ = try await client.create(step, data: index == steps.count - 1 ? data : [])
        }
    }

    @Test func registersWithTheRightKindsAndTakesItBack() async throws {
        try await LocalZooKeeper.withServer { server in
            try await withClient(of: server.server) { client in
                let registry = registry(of: server.server)
                #expect(!registry.isConnected)
                try await running(registry) { registry in
                    try await registry.register(broker, topics: ["trade", "feed"])
                    #expect(registry.isConnected)
                    for path in [
                        "/kiteq/server/trade/127.0.0.1:13800", "/kiteq/server/feed/127.0.0.1:13800",
                        "/kiteq/alive_servers/127.0.0.1:13800",
                    ] {
                        let node = try #require(try await client.get(path, watch: false), "\(path)")
                        #expect(node.stat.ephemeralOwner != 0 && node.data.isEmpty, "\(path)")
                    }
                    for path in [
                        "/kiteq/all_servers/127.0.0.1:13800", "/kiteq/pub/trade", "/kiteq/pub/feed", "/kiteq/sub/trade",
                        "/kiteq/sub/feed", "/kiteq/server/trade",
                    ] {
                        let node = try #require(try await client.get(path, watch: false), "\(path)")
                        #expect(node.stat.ephemeralOwner == 0 && node.data.isEmpty, "\(path)")
                    }
                    // Other topics replace the first.
                    try await registry.register(broker, topics: ["feed", "log"])
                    #expect(try await client.exists("/kiteq/server/trade/127.0.0.1:13800", watch: false) == nil)
                    #expect(try await client.exists("/kiteq/server/log/127.0.0.1:13800", watch: false) != nil)
                    // What somebody deletes comes back.
                    try await client.delete("/kiteq/server/feed/127.0.0.1:13800")
                    let isBack = await eventually(within: .seconds(5)) {
                        await owner(of: "/kiteq/server/feed/127.0.0.1:13800", client) != nil
                    }
                    #expect(isBack)
                    try await registry.unregister()
                    try await registry.unregister()
                    #expect(try await client.list("/kiteq/server/feed", watch: false)?.children == [])
                    #expect(try await client.list("/kiteq/alive_servers", watch: false)?.children == [])
                    #expect(try await client.list("/kiteq/all_servers", watch: false)?.children == ["127.0.0.1:13800"])
                    // Left registered, to see what the end of run() does.
                    try await registry.register(broker, topics: ["trade"])
                }
                #expect(try await client.list("/kiteq/server/trade", watch: false)?.children == [])
                #expect(try await client.list("/kiteq/alive_servers", watch: false)?.children == [])
                #expect(!registry.isConnected)
                await #expect(throws: RegistryError.self) { try await registry.register(broker, topics: ["trade"]) }
                await #expect(throws: RegistryError.self) { try await registry.run() }
            }
        }
    }

    @Test func replacesWhatAFormerSessionLeft() async throws {
        try await LocalZooKeeper.withServer { server in
            try await withClient(of: server.server) { client in
                let path = "/kiteq/server/trade/127.0.0.1:13800"
                try await make("/kiteq/server/trade", [], client)
                // As a broker that was killed and started again finds it: still there, of a session not yet given up.
                #expect(try await client.create(path, ephemeral: true))
                try await running(registry(of: server.server)) { registry in
                    try await registry.register(broker, topics: ["trade"])
                    let stat = try #require(try await client.exists(path, watch: false))
                    #expect(stat.ephemeralOwner != 0 && stat.ephemeralOwner != client.sessionID)
                }
            }
        }
    }

    @Test func followsBindings() async throws {
        try await LocalZooKeeper.withServer { server in
            try await withClient(of: server.server) { client in
                try await make("/kiteq/sub/trade/g-bind", json("a"), client)
                let (logger, log) = RecordingLogHandler.logger()
                try await running(registry(of: server.server, logger: logger)) { registry in
                    let stream = registry.bindings(of: ["trade", "feed", "trade"])
                    func expect(
                        _ types: [String], within limit: Duration = .seconds(1),
                        _ location: SourceLocation = #_sourceLocation
                    ) async throws {
                        do {
                            _ = try await first(in: stream, within: limit) { $0.map(\.messageType) == types }
                        } catch {
                            Issue.record("\(types) did not come: \(error)", sourceLocation: location)
                        }
                    }
                    let snapshot = try await first(in: stream)
                    #expect(snapshot == [Binding(group: "g", topic: "trade", messageType: "a")])
                    // Data change.
                    _ = try await client.set("/kiteq/sub/trade/g-bind", data: json("a", "b"))
                    try await expect(["a", "b"])
                    // A group comes, as Java does it: with its address first, then the bindings.
                    try await make("/kiteq/sub/feed/h-bind", Array("10.1.2.3:456".utf8), client)
                    _ = try await client.set("/kiteq/sub/feed/h-bind", data: json("c", group: "h", topic: "feed"))
                    try await expect(["a", "b", "c"])
                    // What does not parse, or is empty, changes nothing; the next good data do.
                    _ = try await client.set("/kiteq/sub/trade/g-bind", data: Array("10.1.2.3:456".utf8))
                    #expect(
                        await eventually(within: .seconds(5)) {
                            log.all.contains { $0.contains("/kiteq/sub/trade/g-bind: the data is no JSON") }
                        })
                    _ = try await client.set("/kiteq/sub/trade/g-bind", data: [])
                    #expect(
                        await eventually(within: .seconds(5)) {
                            log.all.contains { $0.contains("/kiteq/sub/trade/g-bind: the data is empty") }
                        })
                    // A new follower sees what is in force all the same.
                    let other = try await first(in: registry.bindings(of: ["trade"]))
                    #expect(other.map(\.messageType) == ["a", "b"])
                    _ = try await client.set("/kiteq/sub/trade/g-bind", data: json("d"))
                    try await expect(["d", "c"])
                    // A node that is none of a group, and one of another topic's bindings.
                    try await make("/kiteq/sub/trade/README", json("x"), client)
                    try await make("/kiteq/sub/trade/i-bind", json("x", group: "i", topic: "feed"), client)
                    try await make("/kiteq/sub/trade/j-bind", json("e", group: "j"), client)
                    try await expect(["d", "e", "c"])
                    // Deleting one node takes that group's bindings of that topic and no others.
                    try await client.delete("/kiteq/sub/trade/g-bind")
                    try await expect(["e", "c"])
                    try await client.delete("/kiteq/sub/trade/j-bind")
                    try await expect(["c"])
                    // The node comes back.
                    try await make("/kiteq/sub/trade/g-bind", json("f"), client)
                    try await expect(["f", "c"])
                    // A whole topic's node goes and comes.
                    try await client.delete("/kiteq/sub/feed/h-bind")
                    try await expect(["f"])
                    try await client.delete("/kiteq/sub/feed")
                    try await make("/kiteq/sub/feed/h-bind", json("g", group: "h", topic: "feed"), client)
                    try await expect(["f", "g"], within: .seconds(2))
                }
            }
        }
    }

    @Test func nothingIsEmptyInBetweenAndChangesTogetherAreOneSnapshot() async throws {
        try await LocalZooKeeper.withServer { server in
            try await withClient(of: server.server) { client in
                for group in 0..<200 {
                    try await make("/kiteq/sub/trade/g\(group)-bind", json("a", group: "g\(group)"), client)
                }
                try await running(registry(of: server.server)) { registry in
                    try await following(registry.bindings(of: ["trade"])) { history in
                        #expect(await eventually(within: .seconds(20)) { !history.elements.isEmpty })
                        #expect(history.elements.map(\.count) == [200])
                        try await changeManyAtOnce(client)
                        let isSeen = await eventually(within: .seconds(1)) {
                            history.elements.last?.count == 200
                                && history.elements.last?.count(where: { $0.messageType == "b" }) == 100
                        }
                        #expect(isSeen)
                        // 150 changes in a moment: a few snapshots at most, and none below what stayed throughout.
                        #expect(history.elements.count <= 6)
                        #expect(history.elements.allSatisfy { $0.count >= 150 })
                    }
                }
            }
        }
    }

    /// 50 deletions, 50 changes, 50 additions.
    func changeManyAtOnce(_ client: ZooKeeperClient) async throws {
        try await withThrowingTaskGroup(of: Void.self) { changes in
            for number in 0..<50 {
                changes.addTask { try await client.delete("/kiteq/sub/trade/g\(number)-bind") }
                changes.addTask {
                    let group = "g\(number + 50)"
                    _ = try await client.set("/kiteq/sub/trade/\(group)-bind", data: json("b", group: group))
                }
                changes.addTask {
                    let group = "n\(number)"
                    _ = try await client.create("/kiteq/sub/trade/\(group)-bind", data: json("b", group: group))
                }
            }
            try await changes.waitForAll()
        }
    }

    @Test func lastKnownStandsInForWhatWasNeverReadable() async throws {
        try await LocalZooKeeper.withServer { server in
            try await withClient(of: server.server) { client in
                try await make("/kiteq/sub/trade/g-bind", Array("10.1.2.3:456".utf8), client)
                try await running(registry(of: server.server)) { registry in
                    let known = [
                        Binding(group: "g", topic: "trade", messageType: "a"),
                        Binding(group: "h", topic: "trade", messageType: "a"),
                    ]
                    try await make("/kiteq/sub/trade/h-bind", json("b", group: "h"), client)
                    let stream = registry.bindings(of: ["trade"], lastKnown: known)
                    let snapshot = try await first(in: stream)
                    #expect(snapshot.map(\.messageType) == ["a", "b"])
                    // Unreadable to its end: a node that is deleted takes what stood in for it along.
                    try await client.delete("/kiteq/sub/trade/g-bind")
                    _ = try await first(in: stream) { $0.map(\.messageType) == ["b"] }
                }
            }
        }
    }

    /// The session that a node belongs to, 0 for a persistent one; nil where there is no node.
    func owner(of path: String, _ client: ZooKeeperClient) async -> Int64? {
        do {
            return try await client.exists(path, watch: false)?.ephemeralOwner
        } catch {
            return nil
        }
    }
}
