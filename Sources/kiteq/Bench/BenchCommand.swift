import ArgumentParser
import Foundation
import KiteQStore
import LocalServers
import Logging

/// Measures this broker next to what its database, and a server that does nothing, do on the same machine.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure the broker next to what the database can do without it.",
        discussion: """
            The store's databases must be for this alone; their name contains "bench". They are migrated, filled and emptied.

              kiteq bench --store mysql://root@127.0.0.1:3306/kite_bench?shards=4

            Each round measures each work, and right before it what it is held against. The broker is a process of its own, \
            on loopback, at its defaults.

              publish           durable publishes to a group that is away, against INSERT of the same rows
              end-to-end        publish, deliver, acknowledge, delete, against INSERT and DELETE of the same rows
              ack-latency       store acks at --rate, against single-row commits at that rate
              delivery-latency  from publish to delivery at --rate, against its store acks
              fly               the broker's CPU for a message that is not stored, against a packet echo's
              backlog           end-to-end with --waiting messages for an absent group, against 10,000
              snapshot          end-to-end while a dump's snapshot is open for --snapshot seconds, against before it
              snapshot-latency  the same at --rate, and its p99
              memory            of the broker with --idle-connections
              idle              CPU of the broker with a tenth of them

            The ceilings are the fastest of some ways, batch sizes and numbers of connections, which are printed. At a rate \
            the load is open: latencies count from when a message was due, whether or not it could be sent.
            """)

    @Option(help: "Where messages are stored (KITEQ_STORE); memory:// for what needs no database.")
    var store: String
    @Option(help: "What to measure, separated by commas; backlog and those with a snapshot only where named.")
    var work = BenchWork.usual.map(\.rawValue).joined(separator: ",")
    @Option(help: "Connections that publish, and as many that consume.")
    var connections = 4
    @Option(help: "Publishes of each connection that await their store ack.")
    var outstanding = 1_000
    @Option(help: "Bytes of a message's body.")
    var size = 512
    @Option(help: "Seconds of each measurement, after a second to warm up.")
    var duration = 5
    @Option(help: "Times that everything is measured, in turn; figures are medians.")
    var rounds = 5
    @Option(help: "Milliseconds for each of the ways that are tried to find a ceiling.")
    var sweep = 1_000
    @Option(help: "Messages a second where latencies are measured.")
    var rate = 2_000
    @Option(help: "Messages that wait in the work backlog.")
    var waiting = 5_000_000
    @Option(help: "Seconds that a snapshot is open in the works snapshot and snapshot-latency.")
    var snapshot = 60
    @Option(help: "Connections of the work memory.")
    var idleConnections = 10_000
    @Option(help: "An option of the broker, as for kiteq serve --set; may be repeated.")
    var set: [String] = []
    @Option(help: "The kiteq that serves, where it is another build than this one: to hold two against each other.")
    var broker: String?
    @Option(help: "Write the figures to this file as JSON.")
    var json: String?

    mutating func validate() throws {
        guard !works.isEmpty, works.count == work.split(separator: ",").count else {
            let known = BenchWork.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--work is some of \(known), separated by commas")
        }
        for (name, value, range) in [
            ("connections", connections, 1...1_000), ("outstanding", outstanding, 1...100_000),
            ("size", size, 8...2_000_000), ("duration", duration, 1...3_600), ("rounds", rounds, 1...100),
            ("sweep", sweep, 10...600_000), ("rate", rate, 1...1_000_000), ("waiting", waiting, 1...1_000_000_000),
            ("snapshot", snapshot, 1...86_400),
            ("idle-connections", idleConnections, 1...1_000_000),
        ] where !range.contains(value) {
            throw ValidationError("--\(name) is from \(range.lowerBound) to \(range.upperBound)")
        }
        if store == "memory://", let work = works.first(where: \.needsDatabase) {
            throw ValidationError("\(work.rawValue) is measured on a database only")
        }
    }

    private var works: [BenchWork] { work.split(separator: ",").compactMap { BenchWork(rawValue: String($0)) } }

    mutating func run() async throws {
        let plan = BenchPlan(
            connections: connections, outstanding: outstanding, size: size, duration: .seconds(duration),
            sweep: .milliseconds(sweep), rate: rate,
            waiting: waiting, snapshot: .seconds(snapshot), idleConnections: idleConnections, options: set,
            broker: broker)
        var logger = Logger(label: "kiteq.bench")
        logger.logLevel = .warning
        let database = store == "memory://" ? nil : try BenchDatabase(url: store, logger: logger)
        let folder = try LocalServers.temporaryFolder("bench")
        let start = ContinuousClock.now
        var run = BenchRun(plan: plan, database: database, folder: folder) { line in
            let seconds = Int((ContinuousClock.now - start) / .seconds(1))
            StandardError.write("\(seconds / 60)m\(seconds % 60)s \(line)\n")
        }
        try await run.prepare(works)
        var store = "in memory"
        if let database { store = "\(try await database.server()), \(database.configuration.shards.count) shards" }
        var report = BenchReport(plan: plan, store: store)
        for round in 1...rounds {
            for work in works {
                StandardError.write("round \(round) of \(rounds): \(work.rawValue)\n")
                report.add(try await run.measure(work), of: work)
            }
        }
        try await run.cleanUp(works)
        StandardOutput.print(report.table)
        if let json { try report.json().write(to: URL(fileURLWithPath: json)) }
    }
}
