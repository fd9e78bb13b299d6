import KiteQCore
import Logging
import Synchronization

/// Looks at the broker's counters once a second, for its rates, and hands the store what each topic had in a minute. The last
/// minute before a stop is not kept.
final class RateSampler: Sendable {
    private let dispatcher: Dispatcher
    private let topicStatus: @Sendable () -> [TopicStatus]
    private let store: any SampleStore
    private let broker: String
    private let time: @Sendable () -> Timestamp
    private let clock: any ProcessClock
    private let logger: Logger
    private let state = Mutex(Rates())

    private static let secondsOfSample = 60

    init(
        dispatcher: Dispatcher, store: any SampleStore, broker: String, clock: any ProcessClock, logger: Logger,
        time: @escaping @Sendable () -> Timestamp, topicStatus: @escaping @Sendable () -> [TopicStatus]
    ) {
        self.dispatcher = dispatcher
        self.store = store
        self.broker = broker
        self.time = time
        self.clock = clock
        self.logger = logger
        self.topicStatus = topicStatus
    }

    var rates: Rates { state.withLock { $0 } }

    /// Runs until its task is cancelled.
    func run() async {
        var failures = FailureStreak("keep what topics had in the last minute", logger)
        var kept: [String: TopicCounters] = [:]
        var seconds = 0
        while !Task.isCancelled {
            let topics = topicStatus()
            sample(topics)
            await clock.pauseUntilNextRound(of: .seconds(1))
            seconds += 1
            guard seconds % Self.secondsOfSample == 0, !Task.isCancelled else { continue }
            do {
                try await keep(topics, since: &kept)
                failures.end()
            } catch {
                failures.add(error)
            }
        }
    }

    private func sample(_ topics: [TopicStatus]) {
        var sample = Rates.Sample()
        for topic in topics {
            sample.topics[BindingName(topic.name)] = Rates.Counts(
                published: topic.published, delivered: topic.delivered, acknowledged: topic.acknowledged)
            sample.total.published += topic.published
        }
        for (name, traffic) in dispatcher.groupTraffic {
            sample.groups[BindingName(name)] = Rates.Counts(
                delivered: traffic.delivered, acknowledged: traffic.acknowledged,
                failed: traffic.refused + traffic.timedOut + traffic.lostWithConnection, timedOut: traffic.timedOut)
        }
        let counters = dispatcher.counters
        sample.total.delivered = counters.delivered
        sample.total.acknowledged = counters.acknowledged
        sample.total.failed = counters.refused + counters.timedOut + counters.lostWithConnection
        state.withLock { $0.add(sample, now: clock.monotonic()) }
    }

    /// Where the store does not take it, the next minute brings it along.
    private func keep(_ topics: [TopicStatus], since kept: inout [String: TopicCounters]) async throws {
        let now = time()
        let samples = topics.compactMap { topic -> TopicSample? in
            let grown = topic.counters.grown(since: kept[topic.name] ?? TopicCounters())
            guard grown != TopicCounters() else { return nil }
            return TopicSample(at: now, broker: broker, topic: topic.name, counters: grown)
        }
        guard !samples.isEmpty else { return }
        try await store.addSamples(samples)
        for topic in topics { kept[topic.name] = topic.counters }
    }
}

extension TopicCounters {
    fileprivate func grown(since old: TopicCounters) -> TopicCounters {
        TopicCounters(
            published: max(0, published - old.published), committed: max(0, committed - old.committed),
            delivered: max(0, delivered - old.delivered), acknowledged: max(0, acknowledged - old.acknowledged),
            deadLettered: max(0, deadLettered - old.deadLettered))
    }
}
