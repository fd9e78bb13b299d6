import Foundation
import Hummingbird
import HummingbirdTesting
import KiteQBroker
import KiteQCore
import KiteQRegistry
import KiteQStore
import Logging
import NIOPosix
import ServiceLifecycle
import Testing

@testable import KiteQAdmin

/// A broker on a store in memory with its administration, in this process, for the time of a test.
struct AdminFixture: Sendable {
    let broker: Broker
    let store: InMemoryMessageStore
    let client: any TestClientProtocol

    static let operate = AccessToken(name: "night", role: .operate, hash: AccessToken.hash(of: "o"))
    static let read = AccessToken(name: "day", role: .read, hash: AccessToken.hash(of: "r"))

    static let quiet = {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }()

    /// A registry of two groups; a new one for each call.
    static var known: StaticRegistry {
        StaticRegistry(bindings: [
            Binding(group: "s-member", topic: "trade", messageType: "paid"),
            Binding(group: "s-<b>", topic: "trade", messageType: "paid"),
        ])
    }

    static func serving(
        policy: AccessPolicy = AccessPolicy(tokens: [operate, read]), access: AccessRules = AccessRules(),
        reload: @escaping @Sendable () async throws -> ReloadReport = { ReloadReport(applied: [], needsRestart: []) },
        registry: any Registry = known, operators: (InMemoryMessageStore) -> any OperatorStore = { $0 },
        logger: Logger = quiet,
        _ body: @escaping @Sendable (AdminFixture) async throws -> Void
    ) async throws {
        var configuration = BrokerConfiguration()
        configuration.bindPort = 0
        configuration.name = "test"
        configuration.topics = ["trade"]
        configuration.drainTimeout = .milliseconds(200)
        configuration.access = access
        let store = InMemoryMessageStore(shards: 2)
        let (started, serving) = AsyncStream<BrokerAddress>.makeStream()
        let broker = Broker(
            configuration: configuration, store: store,
            registry: registry, eventLoops: MultiThreadedEventLoopGroup.singleton, logger: logger,
            onServing: { serving.yield($0) })
        let services = AdminServices(
            version: "test", broker: broker, store: operators(store), access: AdminAccess(policy),
            configuration: { [ConfigurationItem(key: "store.url", value: "(hidden)", source: "default")] },
            reload: reload, drain: { broker.drain() })
        let server = AdminServer(
            host: "127.0.0.1", port: 0, probe: AdminProbe(broker), metrics: PrometheusMetrics(), services: services,
            logger: logger)
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: broker, successTerminationBehavior: .gracefullyShutdownGroup)],
                logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { serving.finish() }
                try await group.run()
            }
            for await _ in started {
                try await Application(router: server.makeRouter(), logger: logger).test(.router) { client in
                    try await body(AdminFixture(broker: broker, store: store, client: client))
                }
                break
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// What a second administration of the broker is made of, where anybody may do anything.
    var openServices: AdminServices { services(AccessPolicy(anonymous: .operate)) }

    func services(_ policy: AccessPolicy) -> AdminServices {
        AdminServices(
            version: "test", broker: broker, store: store, access: AdminAccess(policy),
            configuration: { [] }, reload: { ReloadReport(applied: [], needsRestart: []) }, drain: {})
    }

    // MARK: Asking

    struct Answer: Sendable {
        var status: Int
        var headers: HTTPFields
        var text: String

        /// - Throws: where it is no JSON object.
        func object() throws -> [String: any Sendable] {
            try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: any Sendable])
        }

        func items() throws -> [[String: any Sendable]] {
            try #require(try object()["items"] as? [[String: any Sendable]])
        }
    }

    func get(_ path: String, token: String? = "o", headers: HTTPFields = [:]) async throws -> Answer {
        try await send(.get, path, token: token, headers: headers, nil)
    }

    func post(
        _ path: String, _ body: String = "{}", token: String? = "o", headers: HTTPFields = [:]
    ) async throws -> Answer {
        var headers = headers
        if headers[.contentType] == nil { headers[.contentType] = "application/json" }
        return try await send(.post, path, token: token, headers: headers, body)
    }

    /// As a group with its secret.
    func post(_ path: String, _ body: String, group: String, secret: String = "x") async throws -> Answer {
        let basic = Data("\(group):\(secret)".utf8).base64EncodedString()
        return try await post(path, body, token: nil, headers: [.authorization: "Basic \(basic)"])
    }

    private func send(
        _ method: HTTPRequest.Method, _ path: String, token: String?, headers: HTTPFields, _ body: String?
    ) async throws -> Answer {
        var headers = headers
        if let token { headers[.authorization] = "Bearer \(token)" }
        return try await client.execute(
            uri: path.hasPrefix("/") ? path : "/api/v1/\(path)", method: method, headers: headers,
            body: body.map { ByteBuffer(string: $0) }
        ) { Answer(status: $0.status.code, headers: $0.headers, text: String(buffer: $0.body)) }
    }
}
