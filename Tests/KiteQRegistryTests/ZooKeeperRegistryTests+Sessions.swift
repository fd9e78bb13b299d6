import CZooKeeper
import Foundation
import LocalServers
import Logging
import Synchronization
import Testing

@testable import KiteQCore
@testable import KiteQRegistry

/// What becomes of a registry when its server or its session goes.
extension ZooKeeperRegistryTests {
    @Test func keepsBindingsThroughARestartAndComesBackOnce() async throws {
        try await LocalZooKeeper.withServer { server in
            try await withClient(of: server.server) { client in
                try await make("/kiteq/sub/trade/g-bind", json("a"), client)
            }
            try await running(registry(of: server.server)) { registry in
                try await following(registry.bindings(of: ["trade"])) { history in
                    try await registry.register(broker, topics: ["trade"])
                    #expect(await eventually(within: .seconds(20)) { history.elements.count == 1 })
                    await server.kill()
                    #expect(await eventually(within: .seconds(20)) { !registry.isConnected })
                    // Away or not, who asks now is told what is in force.
                    let inForce = try await first(in: registry.bindings(of: ["trade"]))
                    #expect(inForce.map(\.messageType) == ["a"])
                    try await server.start()
                    #expect(await eventually(within: .seconds(20)) { registry.isConnected })
                    try await registry.register(broker, topics: ["trade"])
                    try await withClient(of: server.server) { client in
                        let servers = try await client.list("/kiteq/server/trade", watch: false)?.children
                        #expect(servers == ["127.0.0.1:13800"])
                        let alive = try await client.list("/kiteq/alive_servers", watch: false)?.children
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
        try await LocalZooKeeper.withServer { server in
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
        _ registry: ZooKeeperRegistry, _ history: History<[Binding]>, round: Int, on server: LocalZooKeeper,
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
        try await LocalZooKeeper.withServer(isStarted: false) { server in
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
    }

    @Test func endsWhileTheServerIsAway() async throws {
        try await LocalZooKeeper.withServer(isStarted: false) { server in
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
    }
}
