import Foundation
import KiteQBroker
import KiteQCore
import LocalServers

/// What `kiteq dev` is to run, and where.
struct DevPlan: Sendable {
    static let shards = 4

    var folder: DevFolder
    /// As a person would name it.
    var shownFolder: String
    var databasePort: Int
    var configuration: ServerConfiguration
    /// In the order they were given; the first has the examples.
    var topics: [String]
    var isDemo: Bool
    var keeps: Bool

    init(_ command: DevCommand) throws(CommandError) {
        isDemo = command.demo
        keeps = !command.demo || command.keep
        // A demonstration that leaves nothing must not meet what runs here already.
        let isPassing = command.demo && !command.keep
        folder = try DevFolder(path: command.data ?? (isPassing ? nil : ".kiteq"))
        shownFolder = command.data ?? (isPassing ? folder.url.path : ".kiteq")
        if let port = command.mysqlPort {
            databasePort = port
        } else {
            databasePort = try Self.port(13_306, isFree: isPassing)
        }
        let broker = Endpoint(host: "127.0.0.1", port: try Self.port(13_800, isFree: isPassing)).description
        let admin = Endpoint(host: "127.0.0.1", port: try Self.port(13_801, isFree: isPassing)).description
        let loader = ConfigurationLoader(flags: [
            .init("--bind", "broker.bind", command.bind ?? broker),
            .init("--admin", "admin.bind", command.admin ?? admin),
            .init("--topics", "broker.topics", command.topics ?? "trade,feed"),
            .init("--log-level", "log.level", command.logLevel ?? "warning"),
        ])
        configuration = try loader.load()
        topics = ConfigurationCodec<[String]>.names.parse(command.topics ?? "trade,feed") ?? []
        guard !topics.isEmpty else { throw CommandError("--topics names no topic", status: .usage) }
        configuration.store.url = "mysql://root@127.0.0.1:\(databasePort)/kite?shards=\(Self.shards)"
        configuration.registry.url = "file://\(folder.registry.path)"
        // By this name it finds what an earlier run left, whatever its port was.
        configuration.name = "kiteq-dev"
        configuration.startTimeout = .seconds(60)
        if isDemo {
            // So that nobody waits: the defaults are 6 s and 1 s.
            configuration.transactions.firstAfter = 2_000
            configuration.broker.recoveryInterval = .milliseconds(100)
        }
    }

    private static func port(_ usual: Int, isFree: Bool) throws(CommandError) -> Int {
        guard isFree else { return usual }
        do {
            return try LocalServers.freePort()
        } catch {
            throw CommandError("\(error)")
        }
    }
}
