import CZooKeeper
import Dispatch
import Foundation
import LocalServers
import Logging
import Synchronization
import Testing

@testable import KiteQCore
@testable import KiteQRegistry

/// ZooKeeper that is not there, or says nothing, for longer than a session lives.
extension ZooKeeperRegistryTests {
    /// Long enough for a machine with other work, short enough to be waited for.
    static let shortSession = Duration.seconds(2)

    /// Announces all there is to announce: a broker of `trade`, a producer, a consumer group of `feed`.
    func announceAll(_ registry: ZooKeeperRegistry) async throws {
        try await registry.register(broker, topics: ["trade"])
        try await registry.announceProducer(group: "p", topics: ["trade"])
        try await registry.publish(bindings: [Binding(group: "s", topic: "feed", messageType: "x")], of: "s")
    }

    /// Whether ``announceAll(_:)`` holds on the server: each node once, and owned by the session that lives.
    func isAllThereOnce(_ registry: ZooKeeperRegistry, _ client: ZooKeeperClient) async -> Bool {
        guard let session = registry.state.withLock({ $0.client?.sessionID }), session != 0 else { return false }
        do {
            for (parent, child) in [
                ("/kiteq/server/trade", "127.0.0.1:13800"), ("/kiteq/alive_servers", "127.0.0.1:13800"),
                ("/kiteq/pub/trade/p", "this-host"),
            ] {
                guard try await client.list(parent, watch: false)?.children == [child],
                    await owner(of: "\(parent)/\(child)", client) == session
                else { return false }
            }
            let feed = try await client.list("/kiteq/sub/feed", watch: false)
            let servers = try await client.list("/kiteq/all_servers", watch: false)
            return feed?.children == ["s-bind"] && servers?.children.contains("127.0.0.1:13800") == true
        } catch {
            return false
        }
    }

    @Test func isThereOnceAfterAnOutageLongerThanItsSession() async throws {
        try await LocalZooKeeper.withServer { server in
            try await withClient(of: server.server) { try await make("/kiteq/sub/trade/g-bind", json("a"), $0) }
            let (logger, log) = RecordingLogHandler.logger()
            let registry = registry(of: server.server, sessionTimeout: Self.shortSession, logger: logger)
            try await running(registry) { registry in
                try await following(registry.bindings(of: ["trade"])) { history in
                    try await announceAll(registry)
                    await server.kill()
                    #expect(await eventually(within: .seconds(20)) { !registry.isConnected })
                    // What is wished for meanwhile waits.
                    let late = Task { try await registry.announceProducer(group: "p", topics: ["trade"]) }
                    // The handle of the old session has been given up.
                    let isGivenUp = await eventually(within: .seconds(20)) {
                        log.all.contains { $0.contains("has answered. Trying again") }
                    }
                    #expect(isGivenUp)
                    #expect(!registry.isConnected)
                    try await server.start()
                    try await late.value
                    #expect(registry.isConnected)
                    try await withClient(of: server.server) { try await expectAllThereOnce(registry, $0, history) }
                }
            }
        }
    }

    /// Everything is announced, the bindings were said once, and their changes are followed.
    private func expectAllThereOnce(
        _ registry: ZooKeeperRegistry, _ client: ZooKeeperClient, _ history: History<[Binding]>
    ) async throws {
        let isThere = await eventually(within: .seconds(20)) { await isAllThereOnce(registry, client) }
        #expect(isThere)
        _ = try await client.set("/kiteq/sub/trade/g-bind", data: json("b"))
        let isFollowed = await eventually(within: .seconds(5)) { history.elements.count == 2 }
        #expect(isFollowed)
        #expect(history.elements.map { $0.map(\.messageType) } == [["a"], ["b"]])
    }

    @Test func isThereOnceAfterASilenceLongerThanItsSession() async throws {
        try await LocalZooKeeper.withServer { server in
            try await SilencingProxy.with(server: server.port) { proxy, port in
                try await withClient(of: server.server) { client in
                    try await make("/kiteq/sub/trade/g-bind", json("a"), client)
                    try await make("/kiteq/sub/trade/h-bind", json("h", group: "h"), client)
                    let registry = registry(of: "127.0.0.1:\(port)", sessionTimeout: Self.shortSession)
                    try await running(registry) { registry in
                        try await following(registry.bindings(of: ["trade"])) { history in
                            try await announceAll(registry)
                            #expect(await eventually(within: .seconds(20)) { history.elements.count == 1 })
                            for round in 1...2 {
                                let said = history.elements.count
                                try await fallSilent(proxy, registry, client) {
                                    let data = round == 1 ? json("b") : json("c")
                                    _ = try await client.set("/kiteq/sub/trade/g-bind", data: data)
                                    // Deleted while nobody looked: a wish, for the topic node is the one that was known.
                                    if round == 2 { try await client.delete("/kiteq/sub/trade/h-bind") }
                                    #expect(history.elements.count == said)
                                }
                                #expect(
                                    await eventually(within: .seconds(20)) { await isAllThereOnce(registry, client) })
                                let expected = round == 1 ? ["b", "h"] : ["c"]
                                let isFollowed = await eventually(within: .seconds(20)) {
                                    history.elements.last?.map(\.messageType) == expected
                                }
                                #expect(isFollowed, "\(history.elements)")
                            }
                            #expect(history.elements.allSatisfy { !$0.isEmpty })
                        }
                    }
                }
            }
        }
    }

    /// Silences the proxy until the server has given the session up, and heals it after the body.
    private func fallSilent(
        _ proxy: SilencingProxy, _ registry: ZooKeeperRegistry, _ client: ZooKeeperClient,
        _ body: () async throws -> Void
    ) async throws {
        #expect(registry.isConnected)
        proxy.silence()
        // Noticed before the servers give the session up.
        #expect(await eventually(within: Self.shortSession * 2) { !registry.isConnected })
        let isExpired = await eventually(within: .seconds(20)) {
            await owner(of: "/kiteq/server/trade/127.0.0.1:13800", client) == nil
        }
        #expect(isExpired)
        #expect(!registry.isConnected)
        try await body()
        proxy.heal()
        #expect(await eventually(within: .seconds(20)) { registry.isConnected })
    }

    @Test func endsWhileTheServerIsSilent() async throws {
        try await LocalZooKeeper.withServer { server in
            // At first connected, then from the start.
            for isConnected in [true, false] {
                let registry = registry(of: server.server)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    if !isConnected { try signal(server, SIGSTOP) }
                    group.addTask { try await registry.run() }
                    let stream = registry.bindings(of: ["trade"])
                    if isConnected {
                        try await registry.register(broker, topics: ["trade"])
                        try signal(server, SIGSTOP)
                    }
                    // Waits when the end comes; its own task is not cancelled.
                    let waiting = Task { try await registry.register(broker, topics: ["feed"]) }
                    let hasClient = await eventually(within: .seconds(20)) {
                        registry.state.withLock { $0.client != nil }
                    }
                    #expect(hasClient)
                    let begin = ContinuousClock.now
                    group.cancelAll()
                    for await _ in stream {}
                    let error = await #expect(throws: RegistryError.self) { try await waiting.value }
                    #expect(error?.code == .closed)
                    try await group.waitForAll()
                    #expect(ContinuousClock.now - begin < .seconds(8))
                    #expect(!registry.isConnected)
                }
                try signal(server, SIGCONT)
            }
        }
    }

    @Test func comesBackFromAServerThatWasPaused() async throws {
        try await LocalZooKeeper.withServer { server in
            try await withClient(of: server.server) { try await make("/kiteq/sub/trade/g-bind", json("a"), $0) }
            try await running(registry(of: server.server, sessionTimeout: Self.shortSession)) { registry in
                try await following(registry.bindings(of: ["trade"])) { history in
                    try await announceAll(registry)
                    try signal(server, SIGSTOP)
                    #expect(await eventually(within: Self.shortSession * 2) { !registry.isConnected })
                    try signal(server, SIGCONT)
                    #expect(await eventually(within: .seconds(20)) { registry.isConnected })
                    try await withClient(of: server.server) { client in
                        #expect(await eventually(within: .seconds(20)) { await isAllThereOnce(registry, client) })
                    }
                    #expect(history.elements.map { $0.map(\.messageType) } == [["a"]])
                }
            }
        }
    }

    private func signal(_ server: LocalZooKeeper, _ number: Int32) throws {
        let pid = try #require(server.pid)
        #expect(kill(pid, number) == 0)
    }

    @Test func saysOnceThatTheServerIsAbsent() async throws {
        let (logger, log) = RecordingLogHandler.logger()
        let port = try LocalServers.freePort()
        try await running(registry(of: "127.0.0.1:\(port)", sessionTimeout: .seconds(1), logger: logger)) { registry in
            var handles = 0
            var hasHandle = false
            let hasTriedAgain = await eventually(within: .seconds(30)) {
                let has = registry.state.withLock { $0.client != nil }
                if has, !hasHandle { handles += 1 }
                hasHandle = has
                return handles == 3
            }
            #expect(hasTriedAgain)
            #expect(!registry.isConnected)
            #expect(log.all.count == 1, "\(log.all)")
        }
    }

    @Test func whatBlocksIsNotWaitedForAfterTheEnd() async throws {
        let gate = DispatchSemaphore(value: 0)
        let late = Mutex(0)
        let call = Task {
            await runBlocking(grace: .milliseconds(10)) { () -> Int in
                gate.wait()
                return 7
            } late: { result in
                late.withLock { $0 += result }
            }
        }
        call.cancel()
        #expect(await call.value == nil)
        gate.signal()
        #expect(await eventually(within: .seconds(5)) { late.withLock { $0 } == 7 })
        let answer = await runBlocking(grace: .zero) {
            8
        } late: { _ in
            Issue.record("was in time")
        }
        #expect(answer == 8)
    }
}
