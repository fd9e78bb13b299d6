import ArgumentParser
import Foundation
import KiteQBroker
import LocalServers
import Logging

/// `kiteq dev`
struct DevCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev",
        abstract: "Run everything on this machine: a private MariaDB, its tables, a registry, a broker.",
        discussion: """
            The database and the registry are kept in a folder between runs. Needs MariaDB's mariadbd, in PATH or \
            /usr/sbin. Nothing listens but on 127.0.0.1, unless --bind or --admin say so. Ctrl-C stops it all.

            --demo shows the broker at work and checks it: a message published and consumed, a half message committed, one \
            rolled back, one forgotten and asked about, and what is in the tables meanwhile. Without --keep or --data it \
            uses free ports and a temporary folder, and leaves nothing behind.
            """)

    @Option(help: ArgumentHelp("The folder. Default: .kiteq.", valueName: "dir"))
    var data: String?

    @Option(help: ArgumentHelp("Where to listen for clients. Default: 127.0.0.1:13800.", valueName: "host:port"))
    var bind: String?

    @Option(
        help: ArgumentHelp(
            "Where the API, the console and /metrics are. Default: 127.0.0.1:13801.", valueName: "host:port"))
    var admin: String?

    @Option(help: ArgumentHelp("The topics to serve, separated by commas. Default: trade,feed.", valueName: "a,b"))
    var topics: String?

    @Option(help: ArgumentHelp("MariaDB's port on 127.0.0.1. Default: 13306.", valueName: "port"))
    var mysqlPort: Int?

    @Option(help: ArgumentHelp("What is logged to standard error. Default: warning.", valueName: "level"))
    var logLevel: String?

    @Flag(help: "Show the broker at work, and check it; then stop.")
    var demo = false

    @Flag(help: "With --demo: leave everything running afterwards.")
    var keep = false

    func validate() throws {
        if let mysqlPort, !(1...65_535).contains(mysqlPort) {
            throw ValidationError("--mysql-port takes a number from 1 to 65535.")
        }
        if keep, !demo {
            throw ValidationError("--keep is for --demo: without it everything runs until Ctrl-C anyway.")
        }
    }

    func run() async throws {
        let plan = try DevPlan(self)
        let logger = ProcessWide.bootstrap(plan.configuration.log)
        let stop = Latch()
        try await SignalWatch.run(stop) { try await DevRun(plan: plan, stop: stop, logger: logger).run() }
    }
}
