import ArgumentParser
import KiteQStore

/// `kiteq migrate`
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Bring the store's databases to the schema that this version needs.",
        discussion: """
            Safe to run again, and by two at once. The user needs CREATE on the databases, or have a DBA apply what --print \
            says with the mysql client; the broker itself needs only SELECT, INSERT, UPDATE and DELETE.
            """)

    @OptionGroup var databases: StoreArguments

    @Flag(help: "Print the statements for a DBA; connect to nothing.")
    var print = false

    func run() async throws {
        let (configuration, log) = try databases.load(lacking: "databases to migrate")
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
