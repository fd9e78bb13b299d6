import ArgumentParser
import KiteQStore

/// `kiteq check database`
struct CheckDatabaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "database",
        abstract: "Look at the store's servers as the broker's user: settings, cluster, grants, clock, tables.",
        discussion: """
            Each line is ok, warn or bad. With a bad one the exit status is 1. What takes a privilege that the user lacks says which, \
            and the rest is looked at all the same. What each line means: docs/databases.md.

              kiteq check database --store mysql://kite@db1,db2/kite?shards=4
            """)

    @OptionGroup var databases: StoreArguments

    @Flag(help: "One JSON document.")
    var json = false

    func run() async throws {
        let (configuration, log) = try databases.load(lacking: "databases to look at")
        let lines = await DatabaseCheck(configuration, logger: ProcessWide.bootstrap(log)).run()
        StandardOutput.print(try json ? CheckText.json(lines) : CheckText.table(lines))
        if lines.level == .bad { throw ExitCode.failure }
    }
}
