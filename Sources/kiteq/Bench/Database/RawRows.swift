import KiteQCore
import MariaDB

/// The rows of a load, straight into the database: what it can do without a broker.
///
/// One table with KiteQ's columns, and only the primary key and the unique id.
struct RawRows: Sendable {
    enum Way: String, CaseIterable, Sendable {
        /// One prepared row, and arrays of its values: MariaDB alone.
        case array = "array binding"
        /// Prepared statements of up to 256 rows.
        case rows = "prepared rows"
        /// One statement of text a batch, its bytes in hexadecimal digits.
        case text = "text"
    }

    struct Setup: Sendable, CustomStringConvertible {
        var way: Way
        var batch: Int
        var connections: Int
        /// Each batch is deleted again once it is committed, by its range of keys.
        var isDeleted: Bool

        var description: String {
            "\(way.rawValue), \(batch) rows, \(connections) connection\(connections == 1 ? "" : "s")"
        }
    }

    let database: BenchDatabase
    let size: Int

    static let batches = [250, 500, 1_000, 2_000]
    static let connections = [1, 2, 4, 8]

    /// The fastest of all ways, batch sizes and numbers of connections; each is told to `tell`. The best few of a first look
    /// are looked at again for longer: on a shared machine a short look finds whoever had luck.
    /// - Parameter duration: of each first look.
    func sweep(isDeleted: Bool, duration: Duration, _ tell: (Setup, BenchFigures) -> Void) async throws -> Setup {
        let kind = try await database.withPool { pool in try await pool.withConnection { $0.server.kind } }
        var setups: [Setup] = []
        for way in Way.allCases where way != .array || kind == .mariaDB {
            for batch in Self.batches {
                for connections in Self.connections {
                    setups.append(Setup(way: way, batch: batch, connections: connections, isDeleted: isDeleted))
                }
            }
        }
        for (kept, duration) in [(Self.finalists, duration), (1, duration * Self.finalFactor)] {
            var rates: [(setup: Setup, rate: Double)] = []
            for setup in setups {
                let figures = try await measure(setup, duration: duration)
                tell(setup, figures)
                rates.append((setup, figures.rate))
            }
            setups = rates.sorted { $0.rate > $1.rate }.prefix(kept).map(\.setup)
        }
        return setups[0]
    }

    private static let finalists = 4
    /// How much longer they are looked at.
    private static let finalFactor = 4

    /// Rows a second that were inserted, and deleted where they are to be.
    func measure(_ setup: Setup, duration: Duration) async throws -> BenchFigures {
        try await database.withPool(connections: setup.connections) { pool in
            try await Self.withTable(pool) {
                let start = ContinuousClock.now
                let end = start + duration
                let rows = try await withThrowingTaskGroup(of: Int.self) { tasks in
                    for writer in 0..<setup.connections {
                        tasks.addTask { try await write(pool, setup, writer: writer, until: end) }
                    }
                    return try await tasks.reduce(0, +)
                }
                return BenchFigures(rows: rows, seconds: (ContinuousClock.now - start) / .seconds(1))
            }
        }
    }

    static let columns = """
        (seq, message_id, state, kind, owner, route, expires_at, published_at, deliver_limit, topic, message_type, \
        publisher_group, header, body, extra)
        """
    static let kinds: [MariaDBBatch.Kind] = [
        .int, .bytes, .int, .int, .int, .int, .int, .int, .int, .bytes, .bytes, .bytes, .bytes, .bytes, .bytes,
    ]
    /// Those of a fresh message: state, kind, owner, route, times, limit.
    private static let numbers: [Int64] = [1, 17, 1, 1, 1_900_000_000_000, 1_800_000_000_000, 100]

    static func withTable<Result: Sendable>(
        _ pool: MariaDBPool, _ body: () async throws -> Result
    ) async throws -> Result {
        try await pool.withConnection { connection in
            try connection.simple("DROP TABLE IF EXISTS kite_bench_raw")
            try connection.simple("CREATE TABLE kite_bench_raw LIKE kite_message")
            try connection.simple("ALTER TABLE kite_bench_raw DROP KEY by_route")
        }
        let result = try await body()
        try await pool.withConnection { try $0.simple("DROP TABLE kite_bench_raw") }
        return result
    }

    private func write(
        _ pool: MariaDBPool, _ setup: Setup, writer: Int, until end: ContinuousClock.Instant
    ) async throws -> Int {
        // Keys that only this writer has, in one range for each batch.
        var next = Int64(writer) << 40
        var written = 0
        while ContinuousClock.now < end {
            let first = next
            next += Int64(setup.batch)
            switch setup.way {
            case .array, .rows:
                let batch = Self.batch(first..<next, size: size)
                // Array binding is given up where something follows the values.
                let tail = setup.way == .array ? "" : "/* rows */"
                try await pool.withTransaction { connection in
                    try connection.insert(into: "INSERT INTO kite_bench_raw \(Self.columns)", batch, tail: tail)
                }
            case .text:
                let statement = Self.statement(first..<next, size: size)
                try await pool.withTransaction { try $0.simple(statement) }
            }
            if setup.isDeleted {
                let range: [MariaDBValue] = [.int(first), .int(next - 1)]
                try await pool.withTransaction { connection in
                    _ = try connection.execute("DELETE FROM kite_bench_raw WHERE seq BETWEEN ? AND ?", range)
                }
            }
            written += setup.batch
        }
        return written
    }

    static func batch(_ seqs: Range<Int64>, size: Int) -> MariaDBBatch {
        let (header, body) = ([UInt8](repeating: 104, count: 110), [UInt8](repeating: 120, count: size))
        let (topic, type, group) = (
            Array(BenchBroker.topic.utf8), Array(BenchBroker.storedType.utf8), Array("p-bench".utf8)
        )
        var batch = MariaDBBatch(kinds)
        for seq in seqs {
            batch.append(seq)
            id(seq).withBytes { batch.append($0) }
            for number in numbers { batch.append(number) }
            for value in [topic, type, group, header, body] { batch.append(value) }
            batch.appendNull()
        }
        return batch
    }

    private static func statement(_ seqs: Range<Int64>, size: Int) -> String {
        let names = "'\(BenchBroker.topic)','\(BenchBroker.storedType)','p-bench'"
        let bytes = "x'\(String(repeating: "68", count: 110))',x'\(String(repeating: "78", count: size))'"
        let rest = "\(numbers.map(String.init).joined(separator: ",")),\(names),\(bytes),NULL)"
        let rows = seqs.map { "(\($0),x'\(id($0))',\(rest)" }
        return "INSERT INTO kite_bench_raw \(columns) VALUES \(rows.joined(separator: ","))"
    }

    /// As random as producers' ids are: they scatter over the unique index.
    static func id(_ seq: Int64) -> MessageID {
        MessageID(high: UInt64.random(in: .min ... .max), low: UInt64(bitPattern: seq))
    }
}
