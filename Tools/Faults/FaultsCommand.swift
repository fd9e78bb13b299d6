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

    @Option(
        help: ArgumentHelp(
            "mariadb, mysql; or a cluster: group-replication, galera, pair, haproxy. MySQL is from KITEQ_MYSQL_ROOT.",
            valueName: "set-up"))
    var database = "mariadb"

    @Option(help: ArgumentHelp("What HAProxy is in front of: galera or pair.", valueName: "set-up"))
    var behind = "galera"

    @Option(
        help: ArgumentHelp(
            "How HAProxy chooses: first (all connections to one node) or leastconn (to all of them, which is not safe).",
            valueName: "rule"))
    var balance = "first"

    @Option(help: "Seconds until a member of a replication group that sees no majority leaves it.")
    var majorityTimeout = 10

    @Option(help: ArgumentHelp("The kiteq to run. Default: the one next to this program.", valueName: "file"))
    var kiteq: String?

    @Option(help: ArgumentHelp("Where data and logs go. Default: a temporary folder.", valueName: "folder"))
    var folder: String?

    @Option(help: ArgumentHelp("The report is written to this file too.", valueName: "file"))
    var report: String?

    @Option(help: "Publishes awaited at a time. Default: 700; 60 on a cluster.")
    var outstanding: Int?

    @Option(help: "No fault before so many publishes, and so many deliveries, are open. Default: 500; 20 on a cluster.")
    var open: Int?

    @Option(help: "Publishes pause while more deliveries than this are owed. Default: 8000; 600 on a cluster.")
    var owed: Int?

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
            configuration.window = .seconds(window)
            configuration.logLevel = logLevel
            try choose(database: &configuration)
            let isCluster = configuration.database.isCluster
            // Several servers share the machine, and the messages of a fault are to be looked at one by one.
            configuration.outstanding = outstanding ?? (isCluster ? 60 : 700)
            configuration.openPublishes = open ?? (isCluster ? 20 : 500)
            configuration.openDeliveries = configuration.openPublishes
            configuration.maxOwed = owed ?? (isCluster ? 600 : 8_000)
            if let problem = configuration.problem { throw ValidationError(problem) }
            return configuration
        }
    }

    private func choose(database configuration: inout HarnessConfiguration) throws {
        typealias Database = HarnessConfiguration.Database
        guard let kind = Database(rawValue: database) else {
            let names = Database.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--database is one of \(names)")
        }
        guard let behind = Database(rawValue: behind), behind == .galera || behind == .pair else {
            throw ValidationError("--behind is galera or pair")
        }
        guard let balance = LocalHAProxy.Balance(rawValue: balance) else {
            throw ValidationError("--balance is first or leastconn")
        }
        guard (1...3_600).contains(majorityTimeout) else {
            throw ValidationError("--majority-timeout is 1 to 3600 seconds")
        }
        configuration.database = kind
        configuration.behind = behind
        configuration.balance = balance
        configuration.patience.unreachableMajority = .seconds(majorityTimeout)
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
