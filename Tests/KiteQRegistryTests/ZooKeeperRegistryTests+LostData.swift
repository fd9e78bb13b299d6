import Foundation
import LocalServers
import Logging
import Testing

@testable import KiteQCore
@testable import KiteQRegistry

/// ZooKeeper that comes back with less than it had.
extension ZooKeeperRegistryTests {
    private func types(_ bindings: [Binding]) -> [String] { bindings.map { "\($0.group):\($0.messageType)" } }

    /// Polls until the newest snapshot is this.
    private func expect(
        _ history: History<[Binding]>, _ expected: [String], location: SourceLocation = #_sourceLocation
    ) async {
        let isSeen = await eventually(within: .seconds(20)) { history.elements.last.map(types) == expected }
        #expect(isSeen, "\(history.elements.map(types))", sourceLocation: location)
    }

    @Test func bindingsOutliveAServerThatComesBackEmpty() async throws {
        try await LocalZooKeeper.withServer { server, data in
            try await withClient(of: server.server) { client in
                try await make("/kiteq/sub/trade/g-bind", json("a"), client)
                try await make("/kiteq/sub/trade/h-bind", json("a", group: "h"), client)
                try await make("/kiteq/sub/trade/i-bind", json("a", group: "i"), client)
            }
            let (logger, log) = RecordingLogHandler.logger()
            let registry = registry(of: server.server, sessionTimeout: Self.shortSession, logger: logger)
            let other = BrokerAddress(host: "127.0.0.1", port: 13801)
            try await running(registry) { registry in
                try await following(registry.bindings(of: ["trade", "feed"])) { history in
                    try await following(registry.brokers(of: "trade")) { brokers in
                        try await announceAll(registry)
                        let full = ["g:a", "h:a", "i:a", "s:x"]
                        await expect(history, full)
                        try await running(self.registry(of: server.server)) { dying in
                            try await dying.register(other, topics: ["trade"])
                            let isSeen = await eventually(within: .seconds(20)) {
                                brokers.elements.last == [broker, other]
                            }
                            #expect(isSeen)
                            // With no server to say goodbye to, it is as if it had been killed.
                            await server.kill()
                        }
                        let said = history.elements.count
                        let brokersSaid = brokers.elements.count
                        try FileManager.default.removeItem(at: data)
                        try await server.start()
                        try await withClient(of: server.server) { client in
                            #expect(await eventually(within: .seconds(30)) { await isAllThereOnce(registry, client) })
                            #expect(registry.isConnected)
                            // One that comes now is told the same.
                            let told = try await first(in: registry.bindings(of: ["trade", "feed"]))
                            #expect(types(told) == full)
                            #expect(history.elements.count == said, "\(history.elements.map(types))")
                            #expect(brokers.elements.count == brokersSaid, "\(brokers.elements)")
                            #expect(log.all.contains { $0.contains("has no node of the groups g, h, i") }, "\(log.all)")
                            try await speakAgain(history, client)
                        }
                    }
                }
            }
        }
    }

    /// What groups say after their nodes were lost, and how a binding is ended then.
    private func speakAgain(_ history: History<[Binding]>, _ client: ZooKeeperClient) async throws {
        try await make("/kiteq/sub/trade/g-bind", json("b"), client)
        await expect(history, ["g:b", "h:a", "i:a", "s:x"])
        // A deletion that is seen counts as ever, and takes nobody else along.
        try await client.delete("/kiteq/sub/trade/g-bind")
        await expect(history, ["h:a", "i:a", "s:x"])
        // What a person does about a group that will not come back.
        try await make("/kiteq/sub/trade/h-bind", Array("[]".utf8), client)
        await expect(history, ["i:a", "s:x"])
        try await client.delete("/kiteq/sub/trade/h-bind")
        try await make("/kiteq/sub/trade/i-bind", json("c", group: "i"), client)
        await expect(history, ["i:c", "s:x"])
    }

    /// As a broker that starts anew after ZooKeeper was emptied, with what its store remembers.
    @Test func lastKnownOutlivesAnEmptyServer() async throws {
        try await LocalZooKeeper.withServer { server in
            let known = ["g", "h"].map { Binding(group: $0, topic: "trade", messageType: "a") }
            try await withClient(of: server.server) { client in
                // Nothing is there at all; then one group has been quicker than this broker.
                for isTopicThere in [false, true] {
                    if isTopicThere { try await make("/kiteq/sub/trade/h-bind", json("b", group: "h"), client) }
                    try await running(registry(of: server.server)) { registry in
                        let history = registry.bindings(of: ["trade"], lastKnown: known)
                        try await following(history) { history in
                            await expect(history, isTopicThere ? ["g:a", "h:b"] : ["g:a", "h:a"])
                            #expect(history.elements.count == 1)
                            if isTopicThere {
                                try await make("/kiteq/sub/trade/g-bind", Array("[]".utf8), client)
                                await expect(history, ["h:b"])
                            }
                        }
                    }
                }
            }
        }
    }

    @Test func bindingsOutliveABackupThatIsOlderThanThey() async throws {
        try await LocalZooKeeper.withServer { server, data in
            let backup = data.deletingLastPathComponent().appending(path: "backup")
            try await withClient(of: server.server) { try await make("/kiteq/sub/trade/g-bind", json("a"), $0) }
            await server.kill()
            try FileManager.default.copyItem(at: data, to: backup)
            try await server.start()
            try await running(registry(of: server.server, sessionTimeout: Self.shortSession)) { registry in
                try await following(registry.bindings(of: ["trade"])) { history in
                    try await withClient(of: server.server) { client in
                        try await make("/kiteq/sub/trade/h-bind", json("a", group: "h"), client)
                        await expect(history, ["g:a", "h:a"])
                    }
                    let said = history.elements.count
                    await server.kill()
                    try FileManager.default.removeItem(at: data)
                    try FileManager.default.copyItem(at: backup, to: data)
                    try await server.start()
                    try await registry.register(broker, topics: ["trade"])
                    let told = try await first(in: registry.bindings(of: ["trade"]))
                    #expect(types(told) == ["g:a", "h:a"])
                    #expect(history.elements.count == said, "\(history.elements.map(types))")
                    // And g, which the backup had, can go as ever.
                    try await withClient(of: server.server) { try await $0.delete("/kiteq/sub/trade/g-bind") }
                    await expect(history, ["h:a"])
                }
            }
        }
    }
}
