import KiteQCore
import KiteQStore
import Logging
import MariaDB

/// The store that is measured, and its server without the broker.
struct BenchTarget: Sendable {
    private let configuration: MySQLStoreConfiguration?
    private let logger: Logger

    init(url: String, logger: Logger) throws {
        self.logger = logger
        guard url != "memory://" else {
            configuration = nil
            return
        }
        let configuration = try MySQLStoreURL.configuration(
            url, password: Environment.value("KITEQ_STORE_PASSWORD"))
        guard configuration.shards.allSatisfy({ $0.database?.contains("bench") == true }) else {
            throw CommandError(
                "bench fills its databases and empties them: give it some of its own, with bench in their name")
        }
        self.configuration = configuration
    }

    var summary: String { configuration.map { "MySQL, \($0.shards.count) shards" } ?? "in memory" }

    func makeStore() -> any MessageStore {
        configuration.map { MySQLMessageStore($0, logger: logger) } ?? InMemoryMessageStore()
    }

    func prepare() async throws {
        if let configuration { _ = try await Migrator(configuration, logger: logger).run() }
    }

    /// Takes all messages away.
    func empty() async throws {
        for shard in configuration?.shards ?? [] {
            try await withPool(shard) { pool in
                try await pool.withConnection { connection in
                    for table in ["kite_message", "kite_delivery", "kite_transaction", "kite_dead_letter"] {
                        try connection.simple("TRUNCATE TABLE \(table)")
                    }
                }
            }
        }
    }

    // MARK: Without the broker

    private static let batchSizes = [500, 1_000]
    private static let connectionCounts = [2, 4]

    /// The same rows by nothing but INSERT: the best of some batch sizes and numbers of connections, in one table with only the
    /// primary key and the unique id. Nil where there is no server.
    func measureRaw(_ plan: BenchPlan) async throws -> BenchFigures? {
        guard let shard = configuration?.shards.first else { return nil }
        var best: BenchFigures?
        for batch in Self.batchSizes {
            for connections in Self.connectionCounts {
                let figures = try await insert(plan, shard, connections: connections, batch: batch)
                if figures.rate > best?.rate ?? 0 { best = figures }
            }
        }
        return best
    }

    private func insert(
        _ plan: BenchPlan, _ shard: MariaDBConfiguration, connections: Int, batch: Int
    ) async throws -> BenchFigures {
        try await withPool(shard, connections: connections) { pool in
            try await pool.withConnection { connection in
                try connection.simple("DROP TABLE IF EXISTS kite_bench_raw")
                try connection.simple("CREATE TABLE kite_bench_raw LIKE kite_message")
                try connection.simple("ALTER TABLE kite_bench_raw DROP KEY by_route")
            }
            let start = ContinuousClock.now
            // The sweep together takes as long as one measurement of the broker.
            let end = start + plan.duration / (Self.batchSizes.count * Self.connectionCounts.count)
            let rows = try await withThrowingTaskGroup(of: Int.self) { tasks in
                for writer in 0..<connections {
                    tasks.addTask {
                        try await Self.write(
                            pool, writer: writer, writers: connections, rows: batch, size: plan.size, until: end)
                    }
                }
                return try await tasks.reduce(0, +)
            }
            let elapsed = ContinuousClock.now - start
            try await pool.withConnection { try $0.simple("DROP TABLE kite_bench_raw") }
            return BenchFigures(
                count: rows, seconds: elapsed / .seconds(1), latency: BenchFigures.makeHistogram(),
                note: "\(connections) connections, \(batch) rows a statement")
        }
    }

    private static func write(
        _ pool: MariaDBPool, writer: Int, writers: Int, rows: Int, size: Int, until end: ContinuousClock.Instant
    ) async throws -> Int {
        let body = [UInt8](repeating: 120, count: size)
        let header = [UInt8](repeating: 104, count: 110)
        var seq = Int64(writer)
        var written = 0
        while ContinuousClock.now < end {
            var batch = MariaDBBatch([
                .int, .bytes, .int, .int, .int, .int, .int, .int, .int, .bytes, .bytes, .bytes, .bytes, .bytes, .bytes,
            ])
            for _ in 0..<rows {
                seq += Int64(writers)
                batch.append(seq)
                MessageID(high: UInt64.random(in: .min ... .max), low: UInt64(bitPattern: seq)).withBytes {
                    batch.append($0)
                }
                for value in [1, 17, 1, 1, 1_900_000_000_000, 1_800_000_000_000, 100] as [Int64] { batch.append(value) }
                for text in [BenchBroker.topic, BenchBroker.storedType, "p-bench"] { batch.append(text) }
                batch.append(header)
                batch.append(body)
                batch.appendNull()
            }
            let full = batch
            try await pool.withTransaction { connection in
                try connection.insert(
                    into: """
                        INSERT INTO kite_bench_raw (seq, message_id, state, kind, owner, route, expires_at, published_at, \
                        deliver_limit, topic, message_type, publisher_group, header, body, extra)
                        """, full)
            }
            written += rows
        }
        return written
    }

    private func withPool<Result: Sendable>(
        _ shard: MariaDBConfiguration, connections: Int = 1,
        _ body: @escaping @Sendable (MariaDBPool) async throws -> Result
    ) async throws -> Result {
        var limits = MariaDBPoolConfiguration()
        limits.maxConnections = connections
        let pool = MariaDBPool(shard, pool: limits, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await pool.run() }
            defer { tasks.cancelAll() }
            return try await body(pool)
        }
    }
}
