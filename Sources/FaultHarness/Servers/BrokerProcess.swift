import Foundation
package import LocalServers

/// One broker of a run, over its lives.
package struct BrokerProcess: Sendable {
    package let number: Int
    /// `127.0.0.1:port`, the same in each life.
    package let address: String
    package let program: LocalProgram
    /// What stands between it and the database, and between it and ZooKeeper, where faults want that.
    package let databaseProxy: FaultProxy?
    package let zooKeeperProxy: FaultProxy?

    /// - Parameters:
    ///   - registry: a URL.
    ///   - databasePort: of the database, or of the proxy in front of it.
    init(
        number: Int, _ configuration: HarnessConfiguration, databasePort: Int, registry: String,
        databaseProxy: FaultProxy?, zooKeeperProxy: FaultProxy?
    ) throws {
        self.number = number
        self.databaseProxy = databaseProxy
        self.zooKeeperProxy = zooKeeperProxy
        let address = "127.0.0.1:\(try LocalServers.freePort())"
        self.address = address
        var command = [
            configuration.executable.path, "serve", "--bind", address, "--advertise", address, "--name",
            "broker-\(number)", "--store", Self.store(port: databasePort, configuration), "--registry", registry,
            "--topics", Topology.topics.joined(separator: ","), "--log-level", configuration.logLevel,
        ]
        for (option, value) in Self.options(configuration) { command += ["--set", "\(option)=\(value)"] }
        program = LocalProgram(
            name: "broker-\(number)", command: command, ready: "kiteq: serving",
            log: configuration.folder.appending(path: "broker-\(number).log"), environment: Self.environment)
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
        [
            ("store.lease", text(configuration.lease)),
            ("store.connect_timeout", "2s"), ("store.read_timeout", "4s"), ("store.write_timeout", "4s"),
            ("transactions.first_check", text(configuration.checks.lowerBound)),
            ("transactions.longest_check", text(configuration.checks.upperBound)),
            ("transactions.max_checks", "\(configuration.maxChecks)"), ("recovery.orphan_interval", "5s"),
            // The consumers answer within 1.4 s; what a machine adds that is busy with all this is no fault of a broker.
            ("delivery.timeout", "15s"), ("delivery.retry_steps", "10=1s"), ("delivery.retry_beyond", "2s"),
        ]
    }

    private static func text(_ duration: Duration) -> String { "\(Int64(duration / .milliseconds(1)))ms" }
}
