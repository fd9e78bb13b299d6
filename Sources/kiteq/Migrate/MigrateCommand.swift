import ArgumentParser
import Foundation
import KiteQStore
import Logging

/// `kiteq migrate`
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Bring the store's databases to the schema that this version needs.",
        discussion: """
            Safe to run again, and by two at once. The user needs CREATE on the databases, or have a DBA apply what --print \
            says with the mysql client; the broker itself needs only SELECT, INSERT, UPDATE and DELETE.
            """)

    @Option(help: ArgumentHelp("A TOML file with the store's options (KITEQ_CONFIG).", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("mysql://USER@HOST:PORT/kite?shards=4 (KITEQ_STORE).", valueName: "url"))
    var store: String?

    @Flag(help: "Print the statements for a DBA; connect to nothing.")
    var print = false

    func run() async throws {
        var loader = try ConfigurationLoader(
            environment: ProcessInfo.processInfo.environment, configuration: config)
        if let store { loader.flags.append(.init("--store", "store.url", store)) }
        let loaded = try loader.load()
        if loaded.store.url.hasPrefix("memory:") {
            throw CommandError("memory:// has no databases to migrate", status: .usage)
        }
        let configuration = try StoreFactory.mysql(loaded.store)
        var log = loaded.log
        log.level = max(log.level, .warning)
        let migrator = Migrator(configuration, logger: ProcessWide.bootstrap(log))
        if print {
            StandardOutput.print(migrator.script())
            return
        }
        for report in try await migrator.run() {
            let what = report.applied.isEmpty ? "nothing to do" : "applied \(report.applied.joined(separator: ", "))"
            StandardOutput.print("\(report.database): \(what)")
        }
    }
}
