import Foundation
package import LocalServers

/// One broker of a run, over its lives.
package struct BrokerProcess: Sendable {
    package let number: Int
    /// `127.0.0.1:port`, the same in each life.
    package let address: String
    package let program: LocalProgram
    /// Another process of the same name, at another address.
    package let double: LocalProgram
    /// Its machine's clock, where faults want that.
    let clock: ShiftedClock?
    /// What stands between it and the database, and between it and ZooKeeper, where faults want that.
    package let databaseProxy: FaultProxy?
    package let zooKeeperProxy: FaultProxy?

    /// - Parameters:
    ///   - registry: a URL.
    ///   - store: the options that say where the database is.
    init(
        number: Int, _ configuration: HarnessConfiguration, store: [String], registry: String,
        databaseProxy: FaultProxy?, zooKeeperProxy: FaultProxy?
    ) throws {
        self.number = number
        self.databaseProxy = databaseProxy
        self.zooKeeperProxy = zooKeeperProxy
        let address = "127.0.0.1:\(try LocalServers.freePort())"
        self.address = address
        var environment = Self.environment
        clock = configuration.usesClocks ? try Self.makeClock(number, configuration.folder) : nil
        if let clock { environment.merge(clock.environment) { _, new in new } }
        let arguments = Self.arguments(number, configuration, store: store, registry: registry)
        func makeProgram(_ name: String, at address: String) -> LocalProgram {
            LocalProgram(
                name: name,
                command: [configuration.executable.path, "serve", "--bind", address, "--advertise", address]
                    + arguments,
                ready: "kiteq: serving", log: configuration.folder.appending(path: "\(name).log"),
                environment: environment)
        }
        program = makeProgram("broker-\(number)", at: address)
        double = makeProgram("broker-\(number)-double", at: "127.0.0.1:\(try LocalServers.freePort())")
    }

    private static func makeClock(_ number: Int, _ folder: URL) throws -> ShiftedClock {
        let own = folder.appending(path: "clock-\(number)")
        try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
        return try ShiftedClock(in: own)
    }

    private static func arguments(
        _ number: Int, _ configuration: HarnessConfiguration, store: [String], registry: String
    ) -> [String] {
        let topics = Topology(brokers: configuration.brokers, traits: configuration.traits).topics(ofBroker: number)
        var arguments = [
            "--name", "broker-\(number)", "--registry", registry, "--topics", topics.joined(separator: ","),
            "--log-level", configuration.logLevel,
        ]
        arguments += store
        for (option, value) in options(configuration) { arguments += ["--set", "\(option)=\(value)"] }
        return arguments
    }

    /// - Parameter ports: of the database, or of the proxy in front of it; or of a proxy for each shard.
    static func storeOptions(ports: [Int], _ configuration: HarnessConfiguration) -> [String] {
        if ports.count == 1 { return ["--store", store(port: ports[0], configuration)] }
        let shards = ports.indices.map { "mysql://root@127.0.0.1:\(ports[$0])/kite_\($0)" }
        return ["--set", "store.shards=" + shards.joined(separator: " ")]
    }

    static func store(port: Int, _ configuration: HarnessConfiguration) -> String {
        "mysql://root@127.0.0.1:\(port)/kite?shards=\(configuration.shards)"
    }

    /// What is left of this process's environment must not configure the broker.
    static var environment: [String: String] {
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("KITEQ_") }
        // A crash of the program itself is told of by its own thread; all of them take a quarter of a minute to print.
        environment["SWIFT_BACKTRACE"] = "threads=crashed,registers=none,images=none,limit=60"
        return environment
    }

    /// Shorter waits than a service's, so that a run sees many of each in its time.
    private static func options(_ configuration: HarnessConfiguration) -> [(String, String)] {
        var options = [
            ("store.lease", text(configuration.lease)),
            ("store.connect_timeout", "2s"), ("store.read_timeout", "4s"), ("store.write_timeout", "4s"),
            ("transactions.first_check", text(configuration.checks.lowerBound)),
            ("transactions.longest_check", text(configuration.checks.upperBound)),
            ("transactions.max_checks", "\(configuration.maxChecks)"), ("recovery.orphan_interval", "5s"),
            ("delivery.timeout", text(configuration.deliveryTimeout)),
            ("delivery.retry_steps", "10=1s"), ("delivery.retry_beyond", "2s"),
        ]
        if configuration.traits.contains(.slow) {
            // A stop in order waits for the slowest of them.
            options.append(("broker.drain_timeout", text(configuration.slowHold.upperBound + .seconds(2))))
        }
        if configuration.traits.contains(.sizes) {
            // What is stated of memory, small enough for a run to come there.
            options += [
                ("delivery.memory", "64MiB"), ("transactions.memory", "16MiB"), ("publish.queue_bytes", "32MiB"),
                ("publish.connection_bytes", "8MiB"),
            ]
        }
        return options
    }

    private static func text(_ duration: Duration) -> String { "\(Int64(duration / .milliseconds(1)))ms" }
}
