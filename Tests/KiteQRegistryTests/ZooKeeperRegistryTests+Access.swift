import CZooKeeper
import Foundation
import LocalServers
import Logging
import Synchronization
import Testing

@testable import KiteQCore
@testable import KiteQRegistry

/// Nodes that are somebody else's, ensembles that are shared, and credentials.
extension ZooKeeperRegistryTests {
    /// A client of ZooKeeper that makes nodes for itself alone.
    private func withStranger(
        of server: String, _ body: @Sendable (ZooKeeperClient) async throws -> Void
    ) async throws {
        try await withClient(of: server, digest: "stranger:secret") { try await body($0) }
    }

    @Test func foreignNodesAreLeftOutAndTheOthersCount() async throws {
        try await LocalZooKeeper.withServer { server in
            try await withClient(of: server.server) { client in
                for number in 0..<200 {
                    try await make("/kiteq/sub/trade/g\(number)-bind", json("a", group: "g\(number)"), client)
                }
                try await make("/kiteq/sub/trade/garbage-bind", Array("{".utf8), client)
                try await make("/kiteq/sub/feed", [], client)
                try await withStranger(of: server.server) { stranger in
                    for number in 0..<50 {
                        _ = try await stranger.create(
                            "/kiteq/sub/trade/f\(number)-bind", data: json("a", group: "f\(number)"))
                    }
                    _ = try await stranger.create("/kiteq/sub/log")
                    let registry = registry(of: server.server)
                    try await running(registry) { registry in
                        // The first start is ready with what there is.
                        // Held: what nobody follows is forgotten, with its problems.
                        let stream = registry.snapshots(of: ["trade", "feed", "log"], lastKnown: [])
                        let seen = try await first(in: stream)
                        #expect(seen.bindings.count == 200)
                        #expect(seen.hidden == [BindingName("log")])
                        let problems = registry.problems
                        #expect(problems.contains { $0.kind == .hidesTopic("log") }, "\(problems)")
                        #expect(
                            problems.contains { $0.text.contains("50 nodes") || $0.text.contains("f0-bind") },
                            "\(problems)")
                        #expect(problems.contains { $0.text.contains("garbage-bind") }, "\(problems)")
                        #expect(problems.count == 3, "\(problems)")
                        // Once they can be read again they count, and nothing is the matter.
                        for number in 0..<50 { try await stranger.delete("/kiteq/sub/trade/f\(number)-bind") }
                        try await stranger.delete("/kiteq/sub/log")
                        _ = try await client.set("/kiteq/sub/trade/garbage-bind", data: json("z", group: "garbage"))
                        try await make("/kiteq/sub/trade/f0-bind", json("b", group: "f0"), client)
                        try await make("/kiteq/sub/log/l-bind", json("l", group: "l", topic: "log"), client)
                        _ = try await first(in: stream) {
                            $0.hidden.isEmpty && $0.bindings.count == 203
                        }
                        #expect(registry.problems.isEmpty, "\(registry.problems)")
                    }
                }
            }
        }
    }

    @Test func anotherBrokersNodeLeavesTheOtherTopicsAnnounced() async throws {
        try await LocalZooKeeper.withServer { server in
            try await withClient(of: server.server) { client in
                try await make("/kiteq/server", [], client)
                try await withStranger(of: server.server) { stranger in
                    _ = try await stranger.create("/kiteq/server/feed")
                    try await running(registry(of: server.server)) { registry in
                        let error = await #expect(throws: RegistryError.self) {
                            try await registry.register(broker, topics: ["feed", "trade"])
                        }
                        #expect(error?.code == .denied)
                        #expect(try await client.exists("/kiteq/server/trade/\(broker)", watch: false) != nil)
                        #expect(registry.problems.map(\.kind) == [.refused])
                        try await stranger.delete("/kiteq/server/feed")
                        let isThere = await eventually(within: .seconds(20)) {
                            await owner(of: "/kiteq/server/feed/\(broker)", client) != nil && registry.problems.isEmpty
                        }
                        #expect(isThere)
                    }
                }
            }
        }
    }

    @Test func sharesAnEnsembleByAPath() async throws {
        try await LocalZooKeeper.withServer { server in
            try await withClient(of: server.server) { client in
                func configured(_ path: String) throws -> ZooKeeperRegistry {
                    guard
                        case .zooKeeper(var configuration) = try RegistryConfiguration(
                            url: "zk://\(server.server)\(path)")
                    else { throw TooLate() }
                    configuration.initialBackoff = .milliseconds(50)
                    return ZooKeeperRegistry(configuration: configuration, logger: Logger(label: "test"))
                }
                // Neither the path nor what is above it exists.
                try await running(configured("/teams/pay")) { registry in
                    try await registry.register(broker, topics: ["trade"])
                    try await registry.publish(bindings: [.fanout(group: "g", topic: "trade")], of: "g")
                    #expect(try await first(in: registry.bindings(of: ["trade"])).map(\.group) == ["g"])
                    #expect(try await first(in: registry.brokers(of: "trade")) == [broker])
                    #expect(try await client.exists("/teams/pay/kiteq/server/trade/\(broker)", watch: false) != nil)
                    #expect(try await client.exists("/kiteq", watch: false) == nil)
                    // Who follows from elsewhere hears of changes, not of another environment's.
                    try await running(configured("/teams/other")) { other async throws in
                        #expect(try await first(in: other.bindings(of: ["trade"])).isEmpty)
                        #expect(try await first(in: other.brokers(of: "trade")).isEmpty)
                    }
                    try await running(configured("/teams/pay/")) { same in
                        try await following(same.bindings(of: ["trade"])) { history in
                            #expect(await eventually(within: .seconds(20)) { history.elements.last?.count == 1 })
                            try await registry.publish(bindings: [], of: "g")
                            #expect(await eventually(within: .seconds(20)) { history.elements.last?.count == 0 })
                        }
                    }
                }
            }
        }
    }

    @Test func aPathThatMayNotBeMadeIsSaid() async throws {
        try await LocalZooKeeper.withServer { server in
            try await withStranger(of: server.server) { stranger in
                _ = try await stranger.create("/theirs")
                let configuration = ZooKeeperConfiguration(servers: [server.server], root: "/theirs/env1")
                try await running(ZooKeeperRegistry(configuration: configuration, logger: Logger(label: "test"))) {
                    registry in
                    let error = await #expect(throws: RegistryError.self) {
                        try await registry.register(broker, topics: ["trade"])
                    }
                    #expect(error?.message.contains("/theirs/env1") == true, "\(String(describing: error))")
                    let snapshot = try await first(in: registry.snapshots(of: ["trade"], lastKnown: []))
                    #expect(snapshot.hidden == [BindingName("trade")])
                }
            }
        }
    }

    @Test(arguments: ZooKeeperNodeAccess.allCases)
    func nodesBelongToWhoTheyAreSaidTo(_ access: ZooKeeperNodeAccess) async throws {
        try await LocalZooKeeper.withServer { server in
            var configuration = ZooKeeperConfiguration(servers: [server.server], nodeAccess: access)
            try configuration.authenticate("digest:kite:s:e:cret")
            try await running(ZooKeeperRegistry(configuration: configuration, logger: Logger(label: "test"))) {
                registry in
                try await registry.register(broker, topics: ["trade"])
                try await registry.publish(bindings: [.fanout(group: "g", topic: "trade")], of: "g")
                try await withClient(of: server.server) { stranger in
                    func may(_ body: () async throws -> Void) async -> Bool {
                        do {
                            try await body()
                            return true
                        } catch {
                            #expect((error as? ZooKeeperError)?.code == ZNOAUTH.rawValue, "\(error)")
                            return false
                        }
                    }
                    let mayList = await may { _ = try await stranger.list("/kiteq/server/trade", watch: false) }
                    let mayWrite = await may { _ = try await stranger.set("/kiteq/sub/trade/g-bind", data: []) }
                    let mayPose = await may { _ = try await stranger.create("/kiteq/server/trade/mallory:1") }
                    #expect([mayList, mayWrite, mayPose] == [access != .private, access == .world, access == .world])
                }
            }
        }
    }

    @Test func refusesCredentialsOfAnotherForm() throws {
        for text in ["", "secret", "digest", "digest:", "digest::p", "digest:user", "sasl:user:password"] {
            var configuration = ZooKeeperConfiguration(servers: ["h:1"])
            let error = #expect(throws: RegistryError.self) { try configuration.authenticate(text) }
            #expect(error?.code == .invalid && error?.message.contains("user:password") == false)
        }
        var configuration = ZooKeeperConfiguration(servers: ["h:1"], digest: "a:b")
        #expect(throws: RegistryError.self) { try configuration.authenticate("digest:a:b") }
    }

    @Test func endsTheBindingsOfAGroupThatIsGone() async throws {
        try await LocalZooKeeper.withServer { server in
            try await withClient(of: server.server) { client in
                try await make("/kiteq/sub/trade/g-bind", json("a"), client)
                let known = [Binding(group: "old", topic: "trade", messageType: "a")]
                try await running(registry(of: server.server)) { registry in
                    try await running(self.registry(of: server.server)) { another in
                        try await following(registry.bindings(of: ["trade"], lastKnown: known)) { history in
                            try await following(another.bindings(of: ["trade"], lastKnown: known)) { histories in
                                for history in [history, histories] {
                                    #expect(
                                        await eventually(within: .seconds(20)) { history.elements.last?.count == 2 })
                                }
                                // One that has a node, and one that stands in by memory alone.
                                try await registry.removeBindings(of: "g", from: ["trade"])
                                try await registry.removeBindings(of: "old", from: ["trade"])
                                for history in [history, histories] {
                                    #expect(
                                        await eventually(within: .seconds(20)) { history.elements.last?.count == 0 })
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// The group may bind anew before it could be fulfilled, and would lose that.
    @Test func aRemovalIsWishedForOnlyAsLongAsSomebodyWaits() async throws {
        try await LocalZooKeeper.withServer { server in
            try await withStranger(of: server.server) { stranger in
                _ = try await stranger.create("/kiteq")
                _ = try await stranger.create("/kiteq/sub")
                _ = try await stranger.create("/kiteq/sub/trade")
                _ = try await stranger.create("/kiteq/sub/trade/g-bind", data: json("a"))
                try await running(registry(of: server.server)) { registry in
                    let error = await #expect(throws: RegistryError.self) {
                        try await registry.removeBindings(of: "g", from: ["trade"])
                    }
                    #expect(error?.code == .denied)
                    #expect(registry.state.withLock { $0.removals.isEmpty })
                }
            }
        }
    }

    @Test func aRemovalEndsWithItsCaller() async throws {
        // One that is not connected, nor runs, cannot fulfil it.
        let registry = registry(of: "127.0.0.1:1")
        let call = Task { try await registry.removeBindings(of: "g", from: ["trade", "feed"]) }
        #expect(await eventually(within: .seconds(20)) { registry.state.withLock { $0.removals.count == 1 } })
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
        #expect(registry.state.withLock { $0.removals.isEmpty })
    }

    @Test func anUnreadableNodeHidesItsTopicWhileNobodyRemembersIt() async throws {
        try await LocalZooKeeper.withServer { server in
            try await withClient(of: server.server) { client in
                try await make("/kiteq/sub/trade/g-bind", json("a"), client)
                try await make("/kiteq/sub/feed/f-bind", json("f", group: "f", topic: "feed"), client)
                try await withStranger(of: server.server) { stranger in
                    _ = try await stranger.create("/kiteq/sub/trade/h-bind", data: json("h", group: "h"))
                    try await running(registry(of: server.server)) { registry in
                        let topics = ["trade", "feed"]
                        let unsure = registry.snapshots(of: topics, lastKnown: nil)
                        let seen = try await first(in: unsure)
                        #expect(seen.hidden == [BindingName("trade")] && seen.bindings.map(\.group) == ["f"])
                        #expect(registry.problems.contains { $0.kind == .hidesTopic("trade") })
                        let known = [Binding(group: "h", topic: "trade", messageType: "h")]
                        let sure = try await first(in: registry.snapshots(of: topics, lastKnown: known))
                        #expect(sure.hidden.isEmpty && Set(sure.bindings.map(\.group)) == ["f", "g", "h"])
                        _ = try await first(in: unsure) { $0.hidden.isEmpty }
                    }
                }
            }
        }
    }
}
