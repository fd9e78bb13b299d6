import Foundation
import KiteQCore
import LocalServers

/// Measures works in turns of one run: in each round every work, and right before it what it is held against.
struct BenchRun: Sendable {
    let plan: BenchPlan
    /// Nil: the broker keeps its messages in memory.
    let database: BenchDatabase?
    let folder: URL
    /// A line while it runs.
    let tell: @Sendable (String) -> Void

    /// The fastest that the database was seen to do.
    private var rawInsert: RawRows.Setup?
    private var rawInsertAndDelete: RawRows.Setup?

    init(
        plan: BenchPlan, database: BenchDatabase?, folder: URL, tell: @escaping @Sendable (String) -> Void
    ) {
        self.plan = plan
        self.database = database
        self.folder = folder
        self.tell = tell
    }

    // MARK: Before the rounds

    /// Migrates, finds the ceilings, and fills what is to be full.
    mutating func prepare(_ works: [BenchWork]) async throws {
        guard let database else { return }
        try await database.prepare()
        try await database.empty()
        tell(try await database.facts())
        let commits = try await RawCommits(database: database, size: plan.size).measure(
            rate: 200, duration: .seconds(2))
        tell(
            "a commit of one row, its log flush included: p50 \(text(commits.ackP50)) ms, p99 \(text(commits.ackP99)) ms"
        )
        if works.contains(.publish) { rawInsert = try await sweep(database, isDeleted: false) }
        if works.contains(.endToEnd) { rawInsertAndDelete = try await sweep(database, isDeleted: true) }
        if works.contains(.backlog) {
            try await fill(database.named(suffix: Self.small), Self.fewWaiting)
            try await fill(database.named(suffix: Self.full), plan.waiting)
        }
    }

    /// Gives what was filled back to the server.
    func cleanUp(_ works: [BenchWork]) async throws {
        guard let database else { return }
        try await database.empty()
        guard works.contains(.backlog) else { return }
        for suffix in [Self.small, Self.full] { try await database.named(suffix: suffix).empty() }
    }

    private func sweep(_ database: BenchDatabase, isDeleted: Bool) async throws -> RawRows.Setup {
        let name = isDeleted ? "raw INSERT and DELETE" : "raw INSERT"
        let best = try await RawRows(database: database, size: plan.size)
            .sweep(isDeleted: isDeleted, duration: plan.sweep) { tell("\(name): \($0): \($1.line)") }
        tell("\(name): the fastest is \(best)")
        return best
    }

    private static let small = "_few"
    private static let full = "_many"
    static let fewWaiting = 10_000

    private func fill(_ database: BenchDatabase, _ count: Int) async throws {
        try await database.prepare()
        try await database.empty()
        tell("\(count) messages for a group that is away")
        let plan = self.plan
        try await withBroker("kiteq-bench-fill", on: database) { server in
            try await BenchLoad.publish(
                count, plan.publishing(BenchBroker.storedType), connections: plan.connections, to: server.address)
        }
    }

    // MARK: A round

    func measure(_ work: BenchWork) async throws -> BenchSample {
        switch work {
        case .publish:
            let raw = try await raw(rawInsert, "raw INSERT")
            let figures = try await load(plan.publishing(BenchBroker.storedType), isConsumed: false)
            return BenchSample(value: figures.rate, against: raw.rate)
        case .endToEnd:
            let raw = try await raw(rawInsertAndDelete, "raw INSERT and DELETE")
            let figures = try await load(plan.publishing(BenchBroker.deliveredType), isConsumed: true)
            return BenchSample(value: figures.rate, against: raw.rate)
        case .ackLatency:
            let raw = try await RawCommits(database: try needed(), size: plan.size)
                .measure(rate: plan.rate, duration: plan.duration)
            tell("single-row commits: \(raw.line)")
            let figures = try await load(plan.paced(BenchBroker.storedType), isConsumed: false)
            return BenchSample(value: figures.ackP99, against: raw.ackP99)
        case .deliveryLatency:
            let figures = try await load(plan.paced(BenchBroker.deliveredType), isConsumed: true)
            return BenchSample(value: figures.deliveryP99, against: figures.ackP99)
        case .fly:
            let echo = try await echo()
            let figures = try await load(plan.publishing(BenchBroker.deliveredType, isFly: true), isConsumed: true)
            return BenchSample(value: figures.cpuPerMessage * 1e6, against: echo.cpuPerMessage * 1e6)
        case .backlog:
            let database = try needed()
            let few = try await load(
                plan.publishing(BenchBroker.deliveredType), isConsumed: true, on: database.named(suffix: Self.small))
            let many = try await load(
                plan.publishing(BenchBroker.deliveredType), isConsumed: true, on: database.named(suffix: Self.full))
            return BenchSample(value: 1e6 / many.rate, against: 1e6 / few.rate)
        case .snapshot:
            let seen = try await underSnapshot(plan.publishing(BenchBroker.deliveredType))
            return BenchSample(value: seen.end.rate, against: seen.before.rate)
        case .snapshotLatency:
            let seen = try await underSnapshot(plan.paced(BenchBroker.deliveredType))
            return BenchSample(value: seen.end.deliveryP99, against: seen.before.deliveryP99)
        case .memory:
            return BenchSample(value: try await memory())
        case .idle:
            return BenchSample(value: try await idle())
        }
    }

    private func needed() throws -> BenchDatabase {
        guard let database else { throw CommandError("this is measured on a database only") }
        return database
    }

    private func raw(_ setup: RawRows.Setup?, _ name: String) async throws -> BenchFigures {
        guard let setup else { throw CommandError("the ceiling was not looked for") }
        let figures = try await RawRows(database: try needed(), size: plan.size)
            .measure(setup, duration: plan.duration)
        tell("\(name): \(figures.line)")
        return figures
    }

    /// - Parameter full: a database that keeps what is in it; without it that of the run, which is emptied.
    private func load(
        _ publishing: BenchPublishing, isConsumed: Bool, on full: BenchDatabase? = nil
    ) async throws -> BenchFigures {
        if full == nil { try await database?.empty() }
        let plan = self.plan
        let figures = try await withBroker("kiteq-bench", on: full ?? database) { server in
            let load = BenchLoad(
                connections: plan.connections, publishing: publishing, isConsumed: isConsumed, duration: plan.duration,
                usage: { try server.usage })
            return try await load.run(against: server.address)
        }
        tell("broker: \(figures.line)")
        return figures
    }

    private func underSnapshot(_ publishing: BenchPublishing) async throws -> SnapshotRun.Seen {
        let database = try needed()
        try await database.empty()
        let (plan, tell) = (self.plan, self.tell)
        return try await withBroker("kiteq-bench", on: database) { server in
            let load = BenchLoad(
                connections: plan.connections, publishing: publishing, isConsumed: true, duration: plan.duration,
                usage: { try server.usage })
            return try await SnapshotRun(
                database: database, window: plan.duration, snapshot: plan.snapshot, tell: tell
            ).run(load, against: server.address)
        }
    }

    private func echo() async throws -> BenchFigures {
        let server = try BenchServer("echo", folder: folder, ready: "kiteq: echoing") {
            ["bench-echo", "--bind", "\($0)"]
        }
        let load = EchoLoad(
            connections: plan.connections, outstanding: 16, size: plan.size, duration: plan.duration,
            usage: { try server.usage })
        let figures = try await server.run { try await load.run(against: server.address) }
        tell("packet echo: \(figures.line)")
        return figures
    }

    /// MiB.
    private func memory() async throws -> Double {
        let count = plan.idleConnections
        return try await withBroker("kiteq-bench", on: database) { server in
            try await IdleConnections.with(count, to: server.address) {
                let usage = try server.usage
                let mebibytes = Double(usage.resident) / 1_048_576
                tell("broker: \(count) idle connections: \(text(mebibytes)) MiB, at most \(usage.peak >> 20) MiB")
                return mebibytes
            }
        }
    }

    /// Percent of one processor.
    private func idle() async throws -> Double {
        let (count, duration) = (max(1, plan.idleConnections / 10), plan.duration)
        return try await withBroker("kiteq-bench", on: database) { server in
            try await IdleConnections.with(count, to: server.address) {
                // What their coming cost is over.
                try await Task.sleep(for: .seconds(2))
                let (start, before) = (ContinuousClock.now, try server.usage.cpu)
                try await Task.sleep(for: duration)
                let percent = 100 * (try server.usage.cpu - before) / ((ContinuousClock.now - start) / .seconds(1))
                tell("broker: \(count) idle connections: \(text(percent)) % CPU")
                return percent
            }
        }
    }

    private func withBroker<Result: Sendable>(
        _ name: String, on database: BenchDatabase?, _ body: (BenchServer) async throws -> Result
    ) async throws -> Result {
        let server = try BenchBroker.server(
            name, store: database?.url ?? "memory://", plan: plan, folder: folder)
        return try await server.run { try await body(server) }
    }
}
