import ArgumentParser
import FaultHarness
import Foundation
import LocalServers

/// `kiteq-faults`
@main
struct FaultsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kiteq-faults",
        abstract: "Kill brokers and servers under load, and check that nothing is lost.",
        discussion: """
            Starts a database, brokers and, where faults want it, ZooKeeper, all on 127.0.0.1; publishes, injects faults, \
            and holds the history against what must be true. Prints a Markdown table on standard output, progress on \
            standard error. Status 0 only where all holds.
            """)

    @Option(help: "How long faults are injected. Without it each kind needs a count.")
    var minutes: Double?

    @Option(help: "What the schedule and the messages are made from. Default: a random one.")
    var seed: UInt64?

    @Option(help: "Brokers, 1 to 8.")
    var brokers = 1

    @Option(help: "Databases that messages are spread over.")
    var shards = 2

    @Option(
        help: ArgumentHelp(
            "Kinds of faults, each with a count or without: \(FaultKind.allCases.map(\.rawValue).joined(separator: ", ")); cut is all three of the proxy.",
            valueName: "kind[=count],..."))
    var faults = "broker-kill"

    @Option(
        help: ArgumentHelp(
            "What the load has besides the usual: \(LoadTraits.named.map(\.key).joined(separator: ", ")); or all.",
            valueName: "trait,..."))
    var load = ""

    @Option(help: "Seconds of a broker's lease.")
    var lease = 3.0

    @Option(help: "mariadb or mysql (from KITEQ_MYSQL_ROOT).")
    var database = "mariadb"

    @Option(help: ArgumentHelp("The kiteq to run. Default: the one next to this program.", valueName: "file"))
    var kiteq: String?

    @Option(help: ArgumentHelp("Where data and logs go. Default: a temporary folder.", valueName: "folder"))
    var folder: String?

    @Option(help: ArgumentHelp("The report is written to this file too.", valueName: "file"))
    var report: String?

    @Option(help: "Publishes awaited at a time.")
    var outstanding = 700

    @Option(help: "No fault before so many publishes, and so many deliveries, are open.")
    var open = 500

    @Option(help: "Publishes pause while more deliveries than this are owed.")
    var owed = 8_000

    @Option(help: "Seconds before a fault in which an acknowledged delivery may yet come again because of it.")
    var window = 3.0

    @Option(help: "The log level of the brokers.")
    var logLevel = "warning"

    func run() async throws {
        let configuration = try harness
        FileHandle.standardError.write(Data("seed \(configuration.seed)\n".utf8))
        let result = try await HarnessRun(configuration) { line in
            FileHandle.standardError.write(Data("\(line)\n".utf8))
        }.run()
        let text = MarkdownReport(result).text
        print(text, terminator: "")
        if let report { try text.write(toFile: report, atomically: true, encoding: .utf8) }
        if !result.isGood { throw ExitCode.failure }
    }

    private var harness: HarnessConfiguration {
        get throws {
            let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            let executable =
                kiteq.map { URL(fileURLWithPath: $0) } ?? own.deletingLastPathComponent().appending(path: "kiteq")
            var configuration = HarnessConfiguration(
                seed: seed ?? .random(in: 1...999_999), wishes: try wishes,
                duration: minutes.map { .seconds($0 * 60) }, executable: executable,
                folder: try folder.map { URL(fileURLWithPath: $0) } ?? LocalServers.temporaryFolder("faults"))
            // A broker that dies a second after its start hardly hears an answer: few questions would park what was decided.
            configuration.maxChecks = 30
            configuration.brokers = brokers
            configuration.traits = try traits
            configuration.shards = shards
            configuration.lease = .seconds(lease)
            configuration.outstanding = outstanding
            configuration.openPublishes = open
            configuration.openDeliveries = open
            configuration.maxOwed = owed
            configuration.window = .seconds(window)
            configuration.logLevel = logLevel
            guard let kind = HarnessConfiguration.Database(rawValue: database) else {
                throw ValidationError("--database is mariadb or mysql")
            }
            configuration.database = kind
            if let problem = configuration.problem { throw ValidationError(problem) }
            return configuration
        }
    }

    private var traits: LoadTraits {
        get throws {
            try load.split(separator: ",").reduce(into: []) { traits, name in
                if name == "all" {
                    for (_, trait) in LoadTraits.named { traits.formUnion(trait) }
                } else if let trait = LoadTraits(name) {
                    traits.formUnion(trait)
                } else {
                    throw ValidationError("\(name) is nothing that a load can have; see --help")
                }
            }
        }
    }

    private var wishes: [FaultSchedule.Wish] {
        get throws {
            try faults.split(separator: ",").flatMap { text -> [FaultSchedule.Wish] in
                let parts = text.split(separator: "=", maxSplits: 1)
                let count = parts.count == 2 ? Int(parts[1]) : nil
                guard let name = parts.first, let kinds = FaultKind.named(name), parts.count == 1 || (count ?? 0) > 0
                else {
                    throw ValidationError("\(text) is no kind of fault; see --help")
                }
                return kinds.map { ($0, count) }
            }
        }
    }
}
