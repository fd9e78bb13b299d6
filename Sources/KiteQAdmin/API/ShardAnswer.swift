import KiteQCore

struct ShardListAnswer: Encodable, Sendable {
    var items: [ShardAnswer]
    /// When the shards were asked.
    var at: Time
}

/// What one shard has, and how its server answers.
struct ShardAnswer: Encodable, Sendable {
    struct Counts: Encodable, Sendable {
        var half: CountAnswer
        var fresh: CountAnswer
        var tracked: CountAnswer
    }

    struct Pool: Encodable, Sendable {
        var open: Int
        var idle: Int
        var waiting: Int
        var limit: Int
        var failedConnects: Int
    }

    var shard: Int
    var isReachable: Bool
    var reason: String?
    var server: String?
    var database: String
    /// Seconds.
    var answerTime: Double?
    var counts: Counts?
    var deadLetters: CountAnswer?
    var estimatedRows: Int64?
    var bytes: Int64?
    var historyListLength: Int?
    var oldestAt: Time?
    var pool: Pool
    /// What became of deliveries and is not yet written, of this broker.
    var unflushed: Int

    init(_ report: ShardReport, unflushed: Int) {
        shard = report.shard
        isReachable = report.contents != nil
        reason = report.failure
        database = report.database
        pool = Pool(
            open: report.pool.open, idle: report.pool.idle, waiting: report.pool.waiting, limit: report.pool.limit,
            failedConnects: report.pool.failedConnects)
        self.unflushed = unflushed
        guard let contents = report.contents else { return }
        server = "\(contents.product) \(contents.version)"
        answerTime = contents.answerTime / .seconds(1)
        counts = Counts(
            half: CountAnswer(contents.half), fresh: CountAnswer(contents.fresh), tracked: CountAnswer(contents.tracked)
        )
        deadLetters = CountAnswer(contents.deadLetters)
        estimatedRows = contents.tables.reduce(0) { $0 + $1.estimatedRows }
        bytes = contents.estimatedBytes
        historyListLength = contents.historyListLength
        oldestAt = contents.oldestAcceptedAt?.time
    }
}
