import KiteQBroker
import KiteQCore
import MariaDB

/// A load beside a snapshot that somebody holds open, as a dump does: what was deleted since is not purged while it lasts.
struct SnapshotRun: Sendable {
    struct Seen: Sendable {
        var before: BenchFigures
        /// Of the last window under the snapshot.
        var end: BenchFigures
    }

    let database: BenchDatabase
    /// Each figure is of so long.
    let window: Duration
    let snapshot: Duration
    let tell: @Sendable (String) -> Void

    /// A window before the snapshot, windows while it is open, and two after it.
    func run(_ load: BenchLoad, against address: BrokerAddress) async throws -> Seen {
        try await database.withPool(connections: 2) { pool in
            try await load.run(against: address) { measure in
                let before = try await look("before the snapshot", pool, measure)
                var end = before
                try await pool.withSnapshot {
                    let start = ContinuousClock.now
                    repeat {
                        let seconds = Int(((ContinuousClock.now - start) + window) / .seconds(1))
                        end = try await look("\(seconds) s of the snapshot", pool, measure)
                    } while ContinuousClock.now - start < snapshot
                }
                for _ in 0..<2 { _ = try await look("after the snapshot", pool, measure) }
                return Seen(before: before, end: end)
            }
        }
    }

    /// One window, with what the server read for each message of it.
    private func look(
        _ when: String, _ pool: MariaDBPool, _ measure: (Duration) async throws -> BenchFigures
    ) async throws -> BenchFigures {
        let (start, from) = (ContinuousClock.now, try await pool.withConnection { try ServerReads(on: $0) })
        let figures = try await measure(window)
        let (time, to) = (ContinuousClock.now - start, try await pool.withConnection { try ServerReads(on: $0) })
        let messages = max(1, figures.rate * (time / .seconds(1)))
        let (pages, rows) = (Double(to.pages - from.pages) / messages, Double(to.rows - from.rows) / messages)
        tell(
            "\(when): \(figures.line); \(text(pages, 0...1)) pages and \(text(rows, 0...1)) rows read a message, "
                + "\(to.lockWaits - from.lockWaits) lock waits, history list \(to.historyList.map(String.init) ?? "unknown")"
        )
        return figures
    }
}

/// What the server counts of itself, since its start.
struct ServerReads: Sendable {
    /// Of the buffer pool, whether or not they were in memory.
    var pages = 0
    /// Rows and index entries.
    var rows = 0
    var lockWaits = 0
    /// Transactions whose deleted rows are not purged; nil where the user may not ask.
    var historyList: Int?

    init(on connection: isolated MariaDBConnection) throws {
        for row in try connection.simpleRows("SHOW GLOBAL STATUS") {
            let (name, value) = (try row.text(0), Int(try row.text(1)) ?? 0)
            switch name {
            case "Innodb_buffer_pool_read_requests": pages = value
            case "Innodb_row_lock_waits": lockWaits = value
            case _ where name.hasPrefix("Handler_read"): rows += value
            default: break
            }
        }
        historyList = try connection.query(
            "SELECT `count` FROM information_schema.innodb_metrics WHERE name = 'trx_rseg_history_len'"
        ).first.map { Int(try $0.int(0)) }
    }
}

extension MariaDBPool {
    /// Runs `body` while a connection has a consistent snapshot.
    fileprivate func withSnapshot(_ body: () async throws -> Void) async throws {
        let (begun, begin) = AsyncStream<Void>.makeStream()
        let isOver = Latch()
        async let holding: Void = withConnection { connection in
            defer { begin.finish() }
            try connection.simple("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            try connection.simple("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            begin.yield()
            while !isOver.isSet { _ = try connection.simpleRows("SELECT SLEEP(0.2)") }
            try connection.rollback()
        }
        // Nothing comes where it could not be opened.
        guard await begun.first(where: { _ in true }) != nil else { return try await holding }
        do {
            try await body()
        } catch {
            isOver.set()
            throw error
        }
        isOver.set()
        try await holding
    }
}
