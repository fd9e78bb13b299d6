import Foundation
import KiteQ
import LocalServers
package import Logging
import MariaDB
import ServiceLifecycle
import Synchronization

/// A whole run: servers up, load, faults, load off, drain, check.
package struct HarnessRun: Sendable {
    private let configuration: HarnessConfiguration
    private let logger: Logger
    private let onProgress: @Sendable (String) -> Void

    /// - Parameter onProgress: told in a line what happens.
    package init(
        _ configuration: HarnessConfiguration, logger: Logger = HarnessRun.quietLogger,
        onProgress: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.logger = logger
        self.onProgress = onProgress
    }

    /// The clients' complaints about lost connections are what a run is made of.
    package static var quietLogger: Logger {
        var logger = Logger(label: "kiteq.faults")
        logger.logLevel = .critical
        return logger
    }

    /// - Throws: where the run could not be made; what it found wrong is in its result.
    package func run() async throws -> RunResult {
        if let problem = configuration.problem { throw HarnessError(problem) }
        let servers = try await Servers.start(configuration, logger: logger)
        onProgress("\(servers.brokers.count) broker(s) serve; logs are in \(configuration.folder.path)")
        let history = History(seed: configuration.seed, brokers: configuration.brokers)
        let addresses = servers.brokers.map(\.address)
        let publishing = try PublishLoad(configuration, history, addresses: addresses, logger: logger)
        let consuming = try await ConsumeLoad(configuration, history, addresses: addresses, logger: logger)

        let complaints = Complaints(onProgress: onProgress)
        let memory = MemoryWatch(configuration, servers, complaints)
        let pool = servers.database.map { database in
            MariaDBPool(
                MariaDBConfiguration(
                    servers: [.tcp(host: "127.0.0.1", port: database.port)], user: "root", password: ""),
                logger: logger)
        }
        let tables = Tables(
            pool: pool, cluster: servers.cluster?.cluster, shards: configuration.shards,
            key: MessageKey(seed: configuration.seed))
        var probes: (brokers: BrokerProbe, cluster: ClusterProbe)?
        if let cluster = servers.cluster?.cluster {
            let brokers = try BrokerProbe(configuration, publishing, history, addresses: addresses, logger: logger)
            probes = (brokers, ClusterProbe(cluster, history))
        }
        var outcome = Outcome()
        try await withThrowingTaskGroup(of: Void.self) { [probes] tasks in
            if let pool { tasks.addTask { await pool.run() } }
            if let probes { tasks.addTask { await probes.cluster.run() } }
            if configuration.traits.contains(.sizes) {
                tasks.addTask {
                    do {
                        try await memory.run()
                    } catch is CancellationError {
                        return
                    }
                }
            }
            for service in publishing.services + consuming.services + (probes?.brokers.services ?? []) {
                tasks.addTask {
                    do {
                        try await service.run()
                    } catch is CancellationError {
                        return
                    }
                }
            }
            outcome = try await work(servers, tables, history, publishing, complaints, probes)
            tasks.cancelAll()
            try await tasks.waitForAll()
        }
        outcome.peakMemory = memory.peak
        try await consuming.stop()
        for text in try await consuming.complaints + servers.stop() { complaints.note(text) }
        return result(outcome, complaints.all, history)
    }

    /// What the run has besides its history.
    private struct Outcome {
        var faults: [FaultRecord] = []
        var deadLetters: [DeadLetter] = []
        var leftovers: [(message: UInt32?, text: String)] = []
        var peakMemory = 0
        var loadTime = Duration.zero
        var drainTime = Duration.zero
        /// When the brokers were restarted to see whether that brings what they left.
        var restarted: UInt32?
    }

    private func work(
        _ servers: Servers, _ tables: Tables, _ history: History, _ publishing: PublishLoad, _ complaints: Complaints,
        _ probes: (brokers: BrokerProbe, cluster: ClusterProbe)?
    ) async throws -> Outcome {
        var outcome = Outcome()
        let start = ContinuousClock.now
        let injector = Injector(
            configuration: configuration, history: history, servers: servers, tables: tables, complaints: complaints,
            brokerProbe: probes?.brokers, clusterProbe: probes?.cluster,
            onFault: { record, number in onProgress(MarkdownReport.line(record, number: number, history.gauges)) })
        let end = configuration.duration.map { start + $0 }
        async let load: Void = publishing.run()
        async let probing: Void? = probes?.brokers.run()
        do {
            outcome.faults = try await injector.run(schedule) {
                publishing.problem != nil || complaints.all.count > 20 || end.map { ContinuousClock.now >= $0 } ?? false
            }
        } catch {
            // Or it would be waited for at the end of this, for ever.
            publishing.stop()
            throw error
        }
        publishing.stop()
        await load
        _ = await probing
        if let problem = publishing.problem { complaints.note(problem) }
        try await injector.checkBrokers()
        outcome.loadTime = ContinuousClock.now - start
        onProgress("the load is off, \(history.gauges.messages) messages; draining")
        try await drain(tables, injector, history, complaints, &outcome)
        outcome.drainTime = ContinuousClock.now - start - outcome.loadTime
        return outcome
    }

    private var schedule: FaultSchedule {
        FaultSchedule(
            seed: configuration.seed, wishes: configuration.wishes, brokers: configuration.brokers,
            lease: configuration.lease, shards: configuration.shards)
    }

    // MARK: The end

    private func drain(
        _ tables: Tables, _ injector: Injector, _ history: History, _ complaints: Complaints, _ outcome: inout Outcome
    ) async throws {
        if try await isDrained(tables, injector, history) {
            // Nothing that is stored could come any more; what was sent and not yet answered can.
            while history.gauges.deliveriesOpen.contains(where: { $0 > 0 }) {
                try await Task.sleep(for: .milliseconds(20))
            }
        } else {
            complaints.note("the tables do not become empty: \(try await tables.counts())")
            outcome.leftovers = try await tables.leftovers(limit: 20)
            onProgress("restarting the brokers, to see whether that brings what is left")
            outcome.restarted = history.now
            try await injector.restartBrokers()
            _ = try await isDrained(tables, injector, history)
        }
        outcome.deadLetters = try await tables.deadLetters()
    }

    /// Waits until the tables are empty; false where they stay as they are for the limit.
    private func isDrained(_ tables: Tables, _ injector: Injector, _ history: History) async throws -> Bool {
        var last = try await tables.counts()
        var changed = ContinuousClock.now
        var told = changed
        while !last.isEmpty {
            try await Task.sleep(for: .milliseconds(200))
            try await injector.checkBrokers()
            let counts = try await tables.counts()
            if counts != last { changed = ContinuousClock.now }
            last = counts
            if ContinuousClock.now - told > .seconds(5) {
                told = ContinuousClock.now
                onProgress("draining: \(counts), \(history.gauges.owed) owed")
            }
            if ContinuousClock.now - changed > configuration.drainLimit { return false }
        }
        return true
    }

    private func result(_ outcome: Outcome, _ complaints: [String], _ history: History) -> RunResult {
        let events = history.events
        let load = CheckedLoad(
            seed: configuration.seed, traits: configuration.traits, brokers: configuration.brokers,
            shards: configuration.shards, deliveryTimeout: UInt32(configuration.deliveryTimeout / .microseconds(100)))
        let verdict = HistoryChecker(
            load: load, events: events, faults: outcome.faults, losses: history.losses,
            deadLetters: outcome.deadLetters, window: UInt32(configuration.window / .microseconds(100)),
            restarted: outcome.restarted
        ).check()
        let silent = ShardOutages(load, outcome.faults).silent(events)
        let index = HistoryIndex(events)
        let key = MessageKey(seed: configuration.seed)
        let concerned = verdict.findings.prefix(40).map { ($0.message, "\($0.kind.rawValue): \($0.reason)") }
        let slowest = verdict.longestWait.map { ($0.message as UInt32?, "waited for longest") }
        let left = [slowest].compactMap(\.self) + outcome.leftovers.map { ($0.message, "left: \($0.text)") }
        let histories = (concerned + left).map { message, what in
            guard let message else { return what }
            return what + "\n"
                + MessageReport.text(
                    message, load: load, key: key, events: index.events(of: message),
                    faults: outcome.faults)
        }
        let gauges = history.gauges
        return RunResult(
            configuration: configuration, faults: outcome.faults, verdict: verdict, complaints: complaints + silent,
            loadTime: outcome.loadTime, drainTime: outcome.drainTime, acknowledged: gauges.acknowledged,
            accepted: gauges.accepted, events: events.count,
            connectionsLost: history.losses.count, peakMemory: outcome.peakMemory, histories: histories)
    }
}
