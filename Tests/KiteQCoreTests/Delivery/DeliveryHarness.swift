import NIOCore

@testable import KiteQCore

/// A delivery machine with a clock that only the test moves, and what it asked for since the last look.
struct DeliveryHarness {
    var machine: DeliveryMachine
    var moment = DeliveryMoment(now: 1_000_000_000_000, wall: 1_800_000_000_000)

    init(
        shards: Int = 1, topics: [String] = [], catalog: TopicCatalog = TopicCatalog(),
        _ adjust: (inout DeliveryLimits) -> Void = { _ in }
    ) {
        var limits = DeliveryLimits()
        adjust(&limits)
        machine = DeliveryMachine(shards: shards, limits: limits, topics: topics, catalog: catalog)
        for shard in 0..<shards { machine.setLease(shard: shard, until: .max, &moment) }
        for shard in machine.shards.indices {
            machine.shards[shard].orphans = OrphanWatch(nextPassAt: .max)
            machine.shards[shard].strays = StrayWatch(nextPassAt: .max)
        }
    }

    var now: MonotonicTime { moment.now }
    var wall: Timestamp { moment.wall }
    var actions: DeliveryActions {
        get { moment.actions }
        set { moment.actions = newValue }
    }

    static func message(
        topic: String = "trade", deliverLimit: Int = 100, expiresIn: Timestamp = 3_600_000,
        wall: Timestamp = 1_800_000_000_000,
        body: ByteBuffer = ByteBuffer(string: "b")
    ) -> Message {
        Message(
            id: .random(), kind: .string, topic: topic, messageType: "paid", publisherGroup: "p-pay",
            expiresAt: wall + expiresIn, deliverLimit: deliverLimit, publishedAt: wall, header: ByteBuffer(string: "h"),
            body: body)
    }

    static func route(_ groups: String..., volatile: [String] = []) -> Route {
        Route(
            groups.map { .init(group: $0, persistent: true) } + volatile.map { .init(group: $0, persistent: false) })
    }

    /// Time passes, with a tick every half second.
    mutating func pass(_ nanoseconds: MonotonicTime) {
        var left = nanoseconds
        repeat {
            let step = min(left, 500_000_000)
            stand(step)
            machine.tick(&moment)
            left -= step
        } while left > 0
    }

    /// Time passes, and the process does nothing.
    mutating func stand(_ nanoseconds: MonotonicTime) {
        moment.now += nanoseconds
        moment.wall += nanoseconds / 1_000_000
    }

    mutating func survey(_ survey: ShardSurvey, shard: Int = 0) {
        machine.apply(survey, shard: shard, &moment)
    }

    /// A client of a group whose backlog is known to be empty.
    mutating func liveClient(_ group: String, warmUp: Int = 0) -> DeliveryClientID {
        let id = connect(group, warmUp: warmUp)
        scanAll()
        return id
    }

    mutating func connect(_ group: String, warmUp: Int = 0) -> DeliveryClientID {
        machine.connect(group: group, warmUpSeconds: warmUp, &moment)
    }

    /// Answers every scan that is wanted as an empty store would.
    mutating func scanAll() {
        for shard in machine.shards.indices {
            while let scan = machine.nextScan(shard: shard, now: now) {
                finish(scan, DeliveryScanResult(rows: [], isEnd: true))
            }
        }
    }

    mutating func finish(_ scan: DeliveryScan, _ result: DeliveryScanResult, loaded: [StoredMessage] = []) {
        let asked = Set(machine.missing(scan, result))
        machine.apply(scan, result, loaded: loaded, asked: asked, &moment)
    }

    mutating func nextScan(_ shard: Int = 0) -> DeliveryScan? {
        machine.nextScan(shard: shard, now: now)
    }

    mutating func accept(_ seq: Int64, _ route: Route, _ message: Message = DeliveryHarness.message(), shard: Int = 0) {
        machine.accept([(seq, message, route)], shard: shard, &moment)
    }

    mutating func noteRepeats(of seqs: [Int64]) { machine.noteRepeats(of: seqs, shard: 0, &moment) }

    mutating func lookForStrays() { machine.lookForStrays(0, &moment) }

    mutating func acknowledge(_ delivery: DeliveryActions.Delivery, _ isSuccess: Bool = true, _ feedback: String? = nil)
    {
        machine.acknowledge(
            [.init(opaque: delivery.opaque, isSuccess: isSuccess, feedback: feedback)], client: delivery.client,
            &moment)
    }

    mutating func disconnect(_ client: DeliveryClientID) {
        machine.disconnect(client, &moment)
    }

    mutating func deliveries() -> [DeliveryActions.Delivery] {
        defer { actions.deliveries = [] }
        return actions.deliveries
    }

    /// What was to be written, reported as written.
    mutating func settlements() -> [Settlement] {
        let taken = actions.settlements
        actions.settlements = []
        for (shard, settlement) in taken {
            machine.settled([settlement.seq], shard: shard, &moment)
        }
        return taken.map(\.settlement)
    }

    /// What was to be written, still under way.
    mutating func unwritten() -> [Settlement] {
        defer { actions.settlements = [] }
        return actions.settlements.map(\.settlement)
    }

    func tracked(_ seq: Int64, _ group: String, attempts: Int, dueAt: Timestamp) -> StoredMessage {
        StoredMessage(
            seq: seq, message: Self.message(), state: .tracked, route: Route([]),
            deliveries: [.init(group: group, attempts: attempts, dueAt: dueAt)])
    }

    func fresh(_ seq: Int64, _ route: Route) -> StoredMessage {
        StoredMessage(seq: seq, message: Self.message(), state: .fresh, route: route)
    }
}
