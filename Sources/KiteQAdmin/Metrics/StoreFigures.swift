import KiteQBroker
import KiteQCore

/// What takes statements to know: asked for in the background at most every 30 seconds, and only while somebody scrapes.
///
/// A page has what was known when it was made; the first one has nothing of it.
struct StoreFigures: Sendable {
    private let services: AdminServices
    private let answers = AnswerCache<Int, Answer>(lifetime: .seconds(30))

    /// Groups that are asked about.
    private static let groups = 500
    /// Undecided half messages that are looked at, from each end of their order.
    private static let transactions = 100

    private struct Answer: Sendable {
        var shards: [ShardReport]
        var groups: [GroupReport]
        /// Of the undecided half messages looked at, those that somebody should look at; nil where a shard did not say.
        var unanswered: Int?
    }

    init(_ services: AdminServices) { self.services = services }

    func write(to page: inout PrometheusText) {
        let (store, broker) = (services.store, services.broker)
        let age = HealthRules.undecidedAge(broker.transactionSchedule)
        guard let answer = answers.latest(0, ask: { await Self.ask(store, broker, undecidedAfter: age) }) else {
            return
        }
        let now = broker.time
        page.single(
            "kiteq_store_figures_age_seconds", .gauge, "How old the figures are that the store was asked for.",
            Double(answer.age) / 1e3)
        Self.shards(answer.value.shards, now, to: &page)
        Self.groups(answer.value.groups, now, to: &page)
        if let unanswered = answer.value.unanswered {
            page.single(
                "kiteq_unanswered_transactions", .gauge,
                "Half messages undecided after \(HealthRules.questions) questions, or for \(HealthRules.span(age)); \(2 * Self.transactions) at most.",
                unanswered)
        }
    }

    private static func ask(
        _ store: any OperatorStore, _ broker: Broker, undecidedAfter age: Timestamp
    ) async -> Answer {
        async let shards = store.shardReports()
        async let groups = store.groupReports(after: nil, limit: Self.groups)
        let now = broker.time
        let unanswered: Int?
        do {
            let (transactions, failures) = try await store.undecided(limit: Self.transactions)
            let count = transactions.count { HealthRules.isUnanswered($0, after: age, now) }
            // Which shard does not answer is in its own report: without it this would be too few.
            unanswered = failures.isEmpty ? count : nil
        } catch {
            unanswered = nil
        }
        return Answer(shards: await shards, groups: await groups.groups, unanswered: unanswered)
    }

    private static func shards(_ shards: [ShardReport], _ now: Timestamp, to page: inout PrometheusText) {
        page.split(
            "kiteq_shard_up", .gauge, "1 where a shard's server answered when it was asked last.", by: "shard",
            shards.map { ("\($0.shard)", $0.contents == nil ? 0 : 1) })
        func family(_ name: String, _ help: String, _ value: (ShardReport.Contents) -> Double?) {
            page.family(name, .gauge, help)
            for shard in shards {
                if let value = shard.contents.flatMap(value) {
                    page.sample(name, [("shard", "\(shard.shard)")], value)
                }
            }
        }
        page.family("kiteq_shard_messages", .gauge, "Messages in a shard by state, counted up to 100,000.")
        for shard in shards {
            guard let contents = shard.contents else { continue }
            for (state, count) in [("half", contents.half), ("fresh", contents.fresh), ("tracked", contents.tracked)] {
                page.sample(
                    "kiteq_shard_messages", [("shard", "\(shard.shard)"), ("state", state)], count.value)
            }
        }
        family("kiteq_shard_dead_letters", "Dead letters in a shard, counted up to 100,000.") {
            Double($0.deadLetters.value)
        }
        family("kiteq_shard_oldest_message_seconds", "Age of the oldest message in a shard that is not done; 0: none.")
        {
            $0.oldestAcceptedAt.map { Double(max(0, now - $0)) / 1e3 } ?? 0
        }
        family("kiteq_shard_size_bytes", "Data and indexes of a shard, as its server estimates them.") {
            Double($0.estimatedBytes)
        }
        family("kiteq_shard_answer_duration_seconds", "How long a shard's server took for a trifle.") {
            $0.answerTime / .seconds(1)
        }
        family(
            "kiteq_shard_history_list_length",
            "Row versions that a shard's server has not purged; only where the broker's user has PROCESS."
        ) {
            $0.historyListLength.map(Double.init)
        }
    }

    private static func groups(_ groups: [GroupReport], _ now: Timestamp, to page: inout PrometheusText) {
        // Those with the most to do, and among equals always the same ones.
        let sorted = groups.sorted { ($1.waiting.value, $0.name) < ($0.waiting.value, $1.name) }
        let listed = sorted.prefix(BrokerMetrics.groupLimit)
        page.split(
            "kiteq_group_waiting_messages", .gauge,
            "Messages in the store that a group has not finished, of all brokers; counted up to a bound.", by: "group",
            listed.map { ($0.name, $0.waiting.value) })
        page.family(
            "kiteq_group_oldest_waiting_seconds", .gauge, "Age of the oldest message that a group has not finished.")
        for group in listed {
            page.sample(
                "kiteq_group_oldest_waiting_seconds", [("group", group.name)],
                group.oldestAcceptedAt.map { Double(max(0, now - $0)) / 1e3 } ?? 0)
        }
        page.split(
            "kiteq_group_brokers", .gauge, "Living brokers that have clients of a group.", by: "group",
            listed.map { ($0.name, $0.connectedTo.count) })
        page.single(
            "kiteq_unlisted_group_waiting_messages", .gauge, "Waiting messages of the groups that are not listed.",
            sorted.dropFirst(BrokerMetrics.groupLimit).reduce(0) { $0 + $1.waiting.value })
    }
}
