import HTTPTypes
import Hummingbird
import KiteQBroker
import KiteQCore

/// The store as a whole: brokers with their leases, shards, history.
struct StoreRoutes {
    let services: AdminServices
    private let brokers = AnswerCache<Int, BrokerListing>(lifetime: .seconds(1))
    private let shards = AnswerCache<Int, [ShardReport]>(lifetime: .seconds(5))

    init(_ services: AdminServices) { self.services = services }

    func add(to routes: ReadingRoutes) {
        let (services, brokers, shards) = (services, brokers, shards)
        routes.get("brokers", for: .counts, .within) { request, context in
            try QueryReader(request).refuseRest()
            let scope = try context.requireCaller().scope
            let listing = await brokers.value(0) { await services.store.brokers() }.value
            let own = services.broker.status?.incarnation
            return JSONAnswer(
                BrokerListAnswer(
                    items: listing.brokers.map { BrokerAnswer($0, isThis: $0.number == own, scope) },
                    unreachable: listing.failures.map(UnreachableShard.init)))
        }
        routes.get("shards", for: .counts, .whole) { request, _ in
            try QueryReader(request).refuseRest()
            let reports = await shards.value(0) { await services.store.shardReports() }
            let unflushed = services.broker.status?.shards ?? []
            return JSONAnswer(
                ShardListAnswer(
                    items: reports.value.map { report in
                        ShardAnswer(
                            report, unflushed: report.shard < unflushed.count ? unflushed[report.shard].unwritten : 0)
                    }, at: (services.broker.time - reports.age).time))
        }
        routes.get("history", for: .counts, .within) { request, context in
            let range = try HistoryRange(request, now: services.broker.time)
            let caller = try context.requireCaller()
            try caller.check(topic: range.topic)
            let topics = range.topic.map { [$0] } ?? caller.scope.topics?.map(\.text).sorted()
            return JSONAnswer(
                HistoryAnswer(
                    try await services.store.topicSeries(
                        of: topics, from: range.from, before: range.until, step: range.step)))
        }
    }
}

/// What part of the history is asked for.
struct HistoryRange {
    var topic: String?
    var from: Timestamp
    var until: Timestamp
    /// Milliseconds.
    var step: Timestamp

    private static let week: Timestamp = 7 * 86_400 * 1_000

    init(_ request: Request, now: Timestamp) throws(Problem) {
        var query = try QueryReader(request)
        topic = try query.name("topic")
        until = try query.time("until") ?? now
        from = try query.time("from") ?? max(until - Self.week, 0)
        step = Timestamp(try query.integer("step", in: 300...86_400) ?? 3_600) * 1_000
        try query.refuseRest()
        // Samples are taken in buckets; a finer step would show holes that are none.
        step = max(step, TopicSample.width) / TopicSample.width * TopicSample.width
        guard from >= 0 else { throw Problem(.badRequest, "from must be 1970 or later") }
        guard from < until else { throw Problem(.badRequest, "from must be before until, and until after 1970") }
        guard (until - from) / step <= Timestamp(TopicSeries.maxSteps) else {
            throw Problem(
                .badRequest, "more than \(TopicSeries.maxSteps) steps: ask for a shorter time or a longer step")
        }
    }
}

struct HistoryAnswer: Encodable, Sendable {
    struct Item: Encodable, Sendable {
        var at: Time
        var published: Int
        var delivered: Int
        var acknowledged: Int
        var deadLettered: Int
    }

    /// Seconds.
    var step: Int
    var items: [Item]

    init(_ series: TopicSeries) {
        step = Int(series.step / 1_000)
        items = series.points.map { point in
            Item(
                at: point.at.time, published: point.counters.published, delivered: point.counters.delivered,
                acknowledged: point.counters.acknowledged, deadLettered: point.counters.deadLettered)
        }
    }
}
