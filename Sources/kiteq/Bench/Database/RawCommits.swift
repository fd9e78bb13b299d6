import Glibc
import Histogram
import MariaDB
import NIOCore

/// One row a transaction on one connection, each at its time: the least that a durable publish waits for.
struct RawCommits: Sendable {
    let database: BenchDatabase
    let size: Int

    /// The latency counts from when a row was due, whether or not the one before it was done.
    func measure(rate: Int, duration: Duration) async throws -> BenchFigures {
        try await database.withPool { pool in
            try await RawRows.withTable(pool) {
                try await pool.withConnection { connection in
                    let head = "INSERT INTO kite_bench_raw \(RawRows.columns)"
                    var latency = BenchFigures.makeHistogram()
                    let interval = 1_000_000_000 / Int64(rate)
                    let warmUp = Int64(rate)
                    let count = warmUp + Int64(duration / .seconds(1) * Double(rate))
                    let start = Self.now()
                    for number in 0..<count {
                        let due = start + number * interval
                        Self.sleep(until: due)
                        try connection.insert(into: head, RawRows.batch(number..<(number + 1), size: size))
                        guard number >= warmUp else { continue }
                        latency.record(UInt64(max(1, min(Self.now() - due, BenchFigures.longestLatency))))
                    }
                    let seconds = Double(Self.now() - start) / 1e9
                    return BenchFigures(rate: Double(count) / seconds, latency: latency)
                }
            }
        }
    }

    private static func now() -> Int64 { Int64(NIODeadline.now().uptimeNanoseconds) }

    private static func sleep(until due: Int64) {
        while case let rest = due - now(), rest > 0 { usleep(UInt32(clamping: (rest + 999) / 1_000)) }
    }
}
