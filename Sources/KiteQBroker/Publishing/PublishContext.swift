import KiteQCore
import KiteQWire
import Synchronization

/// What the publishes of all shards share.
final class PublishContext: Sendable {
    let store: any PublishStore
    let dispatcher: Dispatcher
    let halfMessages: HalfMessageCache
    let configuration: BrokerConfiguration
    let leases: Leases
    let clocks: ServerClocks
    let fence: Fence
    let health: WriteHealth
    let topics: TopicPublishes
    let clock: any ProcessClock
    let counters = PublishCounters()
    /// Publishes in the hands of writers, and their bytes.
    let writing = Mutex((items: 0, bytes: 0))
    private let sequence: Mutex<SequenceGenerator>

    init(
        store: any PublishStore, entry: StoreEntry, dispatcher: Dispatcher, halfMessages: HalfMessageCache,
        leases: Leases, clocks: ServerClocks, fence: Fence, health: WriteHealth, topics: TopicPublishes,
        configuration: BrokerConfiguration, clock: any ProcessClock
    ) {
        self.store = store
        self.dispatcher = dispatcher
        self.halfMessages = halfMessages
        self.configuration = configuration
        self.leases = leases
        self.clocks = clocks
        self.fence = fence
        self.health = health
        self.topics = topics
        self.clock = clock
        sequence = Mutex(SequenceGenerator(incarnation: entry.incarnation, above: entry.floor))
    }

    // MARK: Seqs

    /// All seqs from now on are above this one: a shard was joined that has it.
    func raiseSeqs(above floor: Int64) { sequence.withLock { $0.raise(above: floor) } }

    /// Seqs for these, rising in their order.
    func giveSeqs(to batch: inout [PendingPublish], shard: Int) {
        // Without a time, which it has from before the first was admitted, it would count on.
        let now = clocks.now(shard) ?? 0
        sequence.withLock { sequence in
            for index in batch.indices { batch[index].seq = sequence.next(now: now) }
        }
    }

    // MARK: The time of a publish

    /// From a publish's arrival: its tries end then, somewhat before its answer is due. So what waited for a connection alone is
    /// refused, and not said to be uncertain.
    var lastTry: MonotonicTime {
        let wait = configuration.publishWait.nanoseconds
        return wait - min(wait / 10, 100_000_000)
    }

    func isTooLateToTry(_ publish: PendingPublish, now: MonotonicTime) -> Bool {
        now - publish.accepted.arrivedAt >= lastTry
    }

    /// Its answer is due.
    func isLate(_ publish: PendingPublish, now: MonotonicTime) -> Bool {
        now - publish.accepted.arrivedAt >= configuration.publishWait.nanoseconds
    }

    // MARK: Answers

    func answer(_ results: [PublishResult]) {
        for result in results { result.publish.countedBy?.withHalfMessages { $0.answered() } }
        for result in results where !result.status { topics[result.publish.message.topic]?.refused.add(1) }
        let byOrigin = Dictionary(grouping: results) { ObjectIdentifier($0.publish.origin) }
        for results in byOrigin.values { results[0].publish.origin.answer(results) }
    }

    /// Of one that the store does not have, as far as is known.
    func refusal(of publish: PendingPublish, _ reason: String) -> PublishResult {
        let outcome = publish.mayBeStored ? StoreAck.outcomeUnknown : "the message could not be stored: "
        return PublishResult(
            publish: publish.accepted, verdict: publish.mayBeStored ? .unknown : .tryAgain, feedback: outcome + reason)
    }
}
