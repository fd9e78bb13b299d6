import CZooKeeper
import Foundation
import Logging
import Synchronization
import Testing

@testable import KiteQCore
@testable import KiteQRegistry

/// Against a real server, one for each test.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ZooKeeperRegistryTests {
    private let broker = BrokerAddress(host: "127.0.0.1", port: 13800)

    private func registry(
        of server: String, digest: String? = nil, logger: Logger = Logger(label: "test")
    ) -> ZooKeeperRegistry {
        var configuration = ZooKeeperConfiguration(
            servers: [server], sessionTimeout: .seconds(4), digest: digest, hostname: "this-host")
        configuration.initialBackoff = .milliseconds(50)
        configuration.maximumBackoff = .milliseconds(200)
        return ZooKeeperRegistry(configuration: configuration, logger: logger)
    }

    private func json(_ types: String..., group: String = "g", topic: String = "trade") -> [UInt8] {
        let entries = types.map {
            #"{"groupId":"\#(group)","topic":"\#(topic)","messageType":"\#($0)","bindType":0,"version":"1.0.0","watermark":0,"persistent":true}"#
        }
        return Array("[\(entries.joined(separator: ","))]".utf8)
    }

    private func make(_ path: String, _ data: [UInt8] = [], _ client: ZooKeeperClient) async throws {
        var step = ""
        let steps = path.split(separator: "/")
        for (index, name) in steps.enumerated() {
            step += "/\(name)"
            _ = try await client.create(step, data: index == steps.count - 1 ? data : [])
        }
    }

    @Test func registersWithTheRightKindsAndTakesItBack() async throws {
        try await LocalZooKeeperForTests.withServer { server in
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
                    #expect(try await client.children("/kiteq/server/feed", watch: false) == [])
                    #expect(try await client.children("/kiteq/alive_servers", watch: false) == [])
                    #expect(try await client.children("/kiteq/all_servers", watch: false) == ["127.0.0.1:13800"])
                    // Left registered, to see what the end of run() does.
                    try await registry.register(broker, topics: ["trade"])
                }
                #expect(try await client.children("/kiteq/server/trade", watch: false) == [])
                #expect(try await client.children("/kiteq/alive_servers", watch: false) == [])
                #expect(!registry.isConnected)
                await #expect(throws: RegistryError.self) { try await registry.register(broker, topics: ["trade"]) }
                await #expect(throws: RegistryError.self) { try await registry.run() }
            }
        }
    }

    @Test func replacesWhatAFormerSessionLeft() async throws {
        try await LocalZooKeeperForTests.withServer { server in
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
        try await LocalZooKeeperForTests.withServer { server in
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
                    try await client.delete("/kiteq/sub/feed")
                    try await expect(["f"])
                    try await make("/kiteq/sub/feed/h-bind", json("g", group: "h", topic: "feed"), client)
                    try await expect(["f", "g"], within: .seconds(2))
                }
            }
        }
    }

    @Test func nothingIsEmptyInBetweenAndChangesTogetherAreOneSnapshot() async throws {
        try await LocalZooKeeperForTests.withServer { server in
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
    private func changeManyAtOnce(_ client: ZooKeeperClient) async throws {
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
        try await LocalZooKeeperForTests.withServer { server in
            try await withClient(of: server.server) { client in
                try await make("/kiteq/sub/trade/g-bind", Array("10.1.2.3:456".utf8), client)
                try await running(registry(of: server.server)) { registry in
                    let known = [
                        Binding(group: "g", topic: "trade", messageType: "a"),
                        Binding(group: "gone", topic: "trade", messageType: "a"),
                    ]
                    let stream = registry.bindings(of: ["trade"], lastKnown: known)
                    let snapshot = try await first(in: stream)
                    #expect(snapshot == [known[0]])
                }
            }
        }
    }

    @Test func keepsBindingsThroughARestartAndComesBackOnce() async throws {
        try await LocalZooKeeperForTests.withServer { server in
            try await withClient(of: server.server) { client in
                try await make("/kiteq/sub/trade/g-bind", json("a"), client)
            }
            try await running(registry(of: server.server)) { registry in
                try await following(registry.bindings(of: ["trade"])) { history in
                    try await registry.register(broker, topics: ["trade"])
                    #expect(await eventually(within: .seconds(20)) { history.elements.count == 1 })
                    server.stop()
                    #expect(await eventually(within: .seconds(20)) { !registry.isConnected })
                    // Away or not, who asks now is told what is in force.
                    let inForce = try await first(in: registry.bindings(of: ["trade"]))
                    #expect(inForce.map(\.messageType) == ["a"])
                    try await server.start()
                    #expect(await eventually(within: .seconds(20)) { registry.isConnected })
                    try await registry.register(broker, topics: ["trade"])
                    try await withClient(of: server.server) { client in
                        let servers = try await client.children("/kiteq/server/trade", watch: false)
                        #expect(servers == ["127.0.0.1:13800"])
                        let alive = try await client.children("/kiteq/alive_servers", watch: false)
                        #expect(alive == ["127.0.0.1:13800"])
                        // Nothing but the one snapshot was ever said, and changes are followed as before.
                        #expect(history.elements.map { $0.map(\.messageType) } == [["a"]])
                        _ = try await client.set("/kiteq/sub/trade/g-bind", data: json("b"))
                        let isFollowed = await eventually(within: .seconds(1)) {
                            history.elements.map { $0.map(\.messageType) } == [["a"], ["b"]]
                        }
                        #expect(isFollowed)
                    }
                }
            }
        }
    }

    @Test func survivesTheEndOfItsSession() async throws {
        try await LocalZooKeeperForTests.withServer { server in
            try await withClient(of: server.server) { client in
                try await make("/kiteq/sub/trade/g-bind", json("a"), client)
                try await running(registry(of: server.server)) { registry in
                    try await following(registry.bindings(of: ["trade"])) { history in
                        try await registry.register(broker, topics: ["trade"])
                        try await registry.announceProducer(group: "p", topics: ["trade"])
                        let mine = [Binding(group: "s", topic: "feed", messageType: "x")]
                        try await registry.publish(bindings: mine, of: "s")
                        #expect(await eventually(within: .seconds(20)) { history.elements.count == 1 })
                        for round in 1...2 {
                            try await expireAndCheck(registry, history, round: round, on: server, client)
                        }
                    }
                }
            }
        }
    }

    private func expireAndCheck(
        _ registry: ZooKeeperRegistry, _ history: History<[Binding]>, round: Int, on server: LocalZooKeeperForTests,
        _ client: ZooKeeperClient
    ) async throws {
        let path = "/kiteq/server/trade/127.0.0.1:13800"
        let before = try #require(try await client.exists(path, watch: false)).ephemeralOwner
        try await client.delete("/kiteq/sub/feed/s-bind")
        try await expire(registry, on: server.server)
        let isNew = await eventually(within: .seconds(20)) {
            let owner = await owner(of: path, client)
            return owner != nil && owner != before
        }
        #expect(isNew)
        for path in [
            "/kiteq/alive_servers/127.0.0.1:13800", "/kiteq/pub/trade/p/this-host", "/kiteq/sub/feed/s-bind",
        ] {
            let isThere = await eventually(within: .seconds(20)) { await owner(of: path, client) != nil }
            #expect(isThere, "\(path)")
        }
        // Followed anew, and nothing empty was said meanwhile.
        _ = try await client.set("/kiteq/sub/trade/g-bind", data: json("b\(round)"))
        let isFollowed = await eventually(within: .seconds(1)) {
            history.elements.last?.map(\.messageType) == ["b\(round)"]
        }
        #expect(isFollowed)
        #expect(history.elements.count == 1 + round)
    }

    /// The session that a node belongs to, 0 for a persistent one; nil where there is no node.
    private func owner(of path: String, _ client: ZooKeeperClient) async -> Int64? {
        do {
            return try await client.exists(path, watch: false)?.ephemeralOwner
        } catch {
            return nil
        }
    }

    /// Joins the registry's session with a second handle and closes it there: the servers then say that it expired.
    private func expire(_ registry: ZooKeeperRegistry, on server: String) async throws {
        var identity = try #require(registry.state.withLock { $0.client }?.identity)
        let thief = zookeeper_init2(
            server, { _, _, _, _, _ in }, 4000, &identity, nil, ZOO_NO_LOG_CLIENTENV, ZooKeeperLog.callback)
        let address = Int(bitPattern: thief)
        let hasJoined = await eventually(within: .seconds(20)) {
            zoo_state(OpaquePointer(bitPattern: address)) == ZOO_CONNECTED_STATE
        }
        #expect(hasJoined)
        await runBlocking { _ = zookeeper_close(OpaquePointer(bitPattern: address)) }
    }

    @Test func waitsForAServerThatIsAbsentAtStart() async throws {
        let server = try LocalZooKeeperForTests()
        defer { server.remove() }
        let (logger, log) = RecordingLogHandler.logger()
        try await running(registry(of: server.server, logger: logger)) { registry in
            let stream = registry.bindings(of: ["trade"])
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await registry.register(broker, topics: ["trade"]) }
                // One who gives up waiting is let go.
                let impatient = Task { try await registry.publish(bindings: [], of: "g") }
                impatient.cancel()
                await #expect(throws: CancellationError.self) { try await impatient.value }
                #expect(
                    await eventually(within: .seconds(20)) {
                        log.all.contains { $0.contains("has answered. Trying again") }
                    })
                #expect(!registry.isConnected)
                try await server.start()
                try await group.waitForAll()
            }
            #expect(registry.isConnected)
            #expect(try await first(in: stream).isEmpty)
        }
    }

    @Test func endsWhileTheServerIsAway() async throws {
        let server = try LocalZooKeeperForTests()
        defer { server.remove() }
        let registry = registry(of: server.server)
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await registry.run() }
            let stream = registry.bindings(of: ["trade"])
            let waiting = Task { try await registry.register(broker, topics: ["trade"]) }
            #expect(
                await eventually(within: .seconds(20)) { registry.state.withLock { $0.client != nil } })
            let begin = ContinuousClock.now
            group.cancelAll()
            let error = await #expect(throws: RegistryError.self) { try await waiting.value }
            #expect(error?.code == .closed)
            for await _ in stream {}
            #expect(ContinuousClock.now - begin < .seconds(5))
        }
    }

    @Test func clientsPublishAndFindBrokers() async throws {
        try await LocalZooKeeperForTests.withServer { server in
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
        try await LocalZooKeeperForTests.withServer { server in
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
