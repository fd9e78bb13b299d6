import DequeModule
import KiteQCore
import Logging
import Synchronization

/// The shell of the delivery machine: holds its lock, and carries out what it decides.
///
/// Deliveries go to their connections' event loops, one hand-over for each connection and batch; settlements join their
/// shard's write-behind lane while the lock is held, so that their order is that of the decisions.
final class Dispatcher: Sendable {
    struct State {
        var machine: DeliveryMachine
        /// Where the deliveries of the machine's clients go.
        var sinks: [DeliveryClientID: any DeliverySink] = [:]
        /// By shard: what is written behind.
        var unwritten: [OldestPending]
        /// From the decision to the store's word that it has it.
        var writeTimes = LatencyHistogram()
    }

    let state: Mutex<State>
    let lanes: [BatchLane<Settlement>]
    let scansWanted: [Wakeup]
    private let recent: RecentMessages
    let deadLetterLog: DeadLetterLog
    let routing: Routing
    private let clock: any ProcessClock
    /// What its deliveries take until they are written: as much as the messages themselves may.
    let outbound: OutboundAccount

    init(
        shards: Int, limits: DeliveryLimits, topics: [String], catalog: TopicCatalog, settleRows: Int,
        recent: RecentMessages, routing: Routing, clock: any ProcessClock, logger: Logger
    ) {
        state = Mutex(
            State(
                machine: DeliveryMachine(shards: shards, limits: limits, topics: topics, catalog: catalog),
                unwritten: Array(repeating: OldestPending(), count: shards)))
        // Bounded by the machine: it stops deliveries at `limits.unflushed`, so nothing that was decided is ever refused here.
        lanes = (0..<shards).map { _ in
            BatchLane(
                capacity: .init(items: .max), batch: .init(items: settleRows), size: { _ in 1 },
                hold: .init(time: WriteBehind.holdTime, items: WriteBehind.heldItems, isPatient: \.isRemoval),
                clock: clock)
        }
        scansWanted = (0..<shards).map { _ in Wakeup() }
        self.recent = recent
        outbound = OutboundAccount(limit: limits.memoryBytes)
        deadLetterLog = DeadLetterLog(logger: logger)
        self.routing = routing
        self.clock = clock
    }

    // MARK: Messages

    func accept(_ messages: [(seq: Int64, message: Message, route: Route)], shard: Int) {
        guard !messages.isEmpty else { return }
        perform { $0.accept(messages, shard: shard, &$1) }
    }

    func acceptFly(_ messages: [(message: Message, route: Route)]) {
        guard !messages.isEmpty else { return }
        perform { $0.acceptFly(messages, &$1) }
    }

    func reread(shard: Int, from seq: Int64) {
        perform { machine, moment in machine.reread(shard: shard, from: seq, &moment) }
    }

    func lookForStrays(shard: Int) {
        perform { machine, moment in machine.lookForStrays(shard, &moment) }
    }

    /// Publishes repeated messages that the store has under these seqs.
    func noteRepeats(of seqs: [Int64], shard: Int) {
        guard !seqs.isEmpty else { return }
        perform { machine, moment in machine.noteRepeats(of: seqs, shard: shard, &moment) }
    }

    func expire(_ messages: [ExpiredMessage], shard: Int) {
        var letters: [ExpiredDelivery] = []
        perform { machine, moment in letters = machine.expire(messages, shard: shard, &moment) }
        deadLetterLog.write(letters)
    }

    /// Letters that the store has written by itself.
    func count(expired letters: [ExpiredDelivery]) {
        perform { machine, _ in machine.count(expired: letters) }
        deadLetterLog.write(letters)
    }

    func acknowledge(_ acknowledgements: [DeliveryMachine.Acknowledgement], client: DeliveryClientID) {
        perform { $0.acknowledge(acknowledgements, client: client, &$1) }
    }

    func extend(_ opaques: [UInt32], client: DeliveryClientID) {
        perform { machine, moment in machine.extend(opaques, client: client, now: moment.now) }
    }

    func settled(_ seqs: [Int64], shard: Int) {
        perform {
            $0.settled(seqs, shard: shard, &$1)
        } cleanUp: {
            $0.unwritten[shard].finish(seqs.count, now: clock.monotonic(), &$0.writeTimes)
        }
    }

    /// The store does not take what became of these for now, while it takes others.
    func putAside(_ seqs: [Int64], shard: Int) {
        state.withLock { $0.machine.putAside(seqs, shard: shard) }
    }

    func tick() {
        perform { $0.tick(&$1) }
    }

    /// Sends nothing more; what some groups have finished is handed to the write-behind lanes.
    func drain() {
        perform { $0.drain(&$1) }
    }

    // MARK: Clients

    /// A client is ready to consume. `onConnect` learns its id before anything is delivered to it.
    func connect(
        _ client: any IdentifiedSink, group: String, warmUpSeconds: Int, window: Int?,
        onConnect: (DeliveryClientID) -> Void
    ) -> DeliveryClientID {
        let (id, sinks, burials) = state.withLock { state in
            var moment = currentMoment()
            // Present before the first message is routed past it.
            if !state.machine.isPresent(group) { routing.setPresence(of: group, true) }
            let id = state.machine.connect(
                group: group, warmUpSeconds: warmUpSeconds, window: window, &moment)
            state.sinks[id] = client
            client.set(id)
            return (id, carryOut(moment.actions, &state), moment.actions.burials)
        }
        onConnect(id)
        send(to: sinks)
        deadLetterLog.write(burials)
        return id
    }

    /// The client speaks as one does that takes no large packets.
    func doubt(_ client: DeliveryClientID) {
        state.withLock { $0.machine.doubt(client) }
    }

    func disconnect(_ client: DeliveryClientID) {
        perform {
            $0.disconnect(client, &$1)
        } cleanUp: {
            $0.sinks[client] = nil
        }
    }

    func setWritable(_ client: DeliveryClientID, _ isWritable: Bool) {
        perform { $0.setWritable(client, isWritable, &$1) }
    }

    func markPublisher(_ client: DeliveryClientID) {
        perform { machine, _ in machine.markPublisher(client) }
    }

    func setReading(_ client: DeliveryClientID, _ isReading: Bool) {
        perform { machine, moment in machine.setReading(client, isReading, now: moment.now) }
    }

    /// Names count by their bytes.
    func setPaused(_ groups: Set<String>) {
        let groups = Set(groups.map(BindingName.init))
        perform { $0.setPaused(groups, &$1) }
    }

    func setWatermarks(_ watermarks: [String: Int]) {
        perform { machine, moment in machine.setWatermarks(watermarks, now: moment.now) }
    }

    // MARK: Ownership

    func setLease(shard: Int, until: MonotonicTime) {
        perform { $0.setLease(shard: shard, until: until, &$1) }
    }

    /// From now on the times of a shard are those of its server.
    func setClock(_ clock: ServerClock, shard: Int) {
        state.withLock { $0.machine.setServerLead(shard: shard, clock.offset) }
    }

    func apply(_ survey: ShardSurvey, shard: Int) {
        perform { $0.apply(survey, shard: shard, &$1) }
        routing.setElsewhere(survey.elsewhere, shard: shard)
    }

    var presentGroups: Set<String> { state.withLock { $0.machine.presentGroups } }

    // MARK: Scans

    func nextScan(shard: Int) -> DeliveryScan? {
        state.withLock { $0.machine.nextScan(shard: shard, now: clock.monotonic()) }
    }

    func missing(_ scan: DeliveryScan, _ result: DeliveryScanResult) -> [Int64] {
        state.withLock { $0.machine.missing(scan, result) }
    }

    func apply(_ scan: DeliveryScan, _ result: DeliveryScanResult, loaded: [StoredMessage], asked: Set<Int64>) {
        perform { $0.apply(scan, result, loaded: loaded, asked: asked, &$1) }
    }

    func scanFailed(_ scan: DeliveryScan) {
        perform { $0.scanFailed(scan, &$1) }
    }

    /// Ends the recovery workers.
    func finishScans() { for wakeup in scansWanted { wakeup.finish() } }

    // MARK: What it holds

    var counters: DeliveryCounters { state.withLock { $0.machine.counters } }
    var gauges: DeliveryGauges {
        var gauges = state.withLock { $0.machine.gauges }
        gauges.unwritten = outbound.bytes
        return gauges
    }

    /// From acceptance to the first attempt, from there to the answer, and from what follows of it to the store.
    var latencies: (delivery: LatencyHistogram, answer: LatencyHistogram, write: LatencyHistogram) {
        state.withLock { ($0.machine.deliveryTimes, $0.machine.answerTimes, $0.writeTimes) }
    }

    var groupTraffic: [String: GroupTraffic] { state.withLock { $0.machine.groupTraffic } }
    var topicTraffic: [String: TopicTraffic] { state.withLock { $0.machine.topicTraffic } }

    func count(topics: Set<String>) { state.withLock { $0.machine.count(topics: topics.sorted()) } }
    var groupStatus: [GroupStatus] { state.withLock { $0.machine.groupStatus(now: clock.monotonic()) } }

    func inFlight(of clients: [DeliveryClientID]) -> [Int] {
        state.withLock { state in clients.map { state.machine.inFlight(of: $0) } }
    }

    /// What is written behind of a shard, and how old the oldest of it is.
    func unwritten(shard: Int) -> (count: Int, age: MonotonicTime?) {
        state.withLock { state in
            (state.machine.unflushedByShard[shard], state.unwritten[shard].age(now: clock.monotonic()))
        }
    }

    // MARK: Carrying out

    func perform<Result: Sendable>(
        _ input: (inout DeliveryMachine, inout DeliveryMoment) -> Result,
        cleanUp: (inout State) -> Void = { _ in }
    ) -> Result {
        var sinks: [DeliveryClientID: any DeliverySink] = [:]
        var burials: [DeliveryActions.Burial] = []
        let result = state.withLock { state in
            var moment = currentMoment()
            let result = input(&state.machine, &moment)
            sinks = carryOut(moment.actions, &state)
            burials = moment.actions.burials
            cleanUp(&state)
            return result
        }
        send(to: sinks)
        deadLetterLog.write(burials)
        return result
    }

    /// Of an input that comes now; under the lock.
    func currentMoment() -> DeliveryMoment {
        DeliveryMoment(now: clock.monotonic(), wall: clock.steady(), outboundRoom: outbound.room)
    }

    func send(to sinks: [DeliveryClientID: any DeliverySink]) {
        guard !sinks.isEmpty else { return }
        for sink in sinks.values { sink.flush() }
        CrashPoint.reached(.delivered)
    }

    /// What must happen in the order of the decisions, and so under the lock: none of it waits. Returns who has deliveries to
    /// send.
    func carryOut(
        _ actions: DeliveryActions, _ state: inout State
    ) -> [DeliveryClientID: any DeliverySink] {
        if !actions.finished.isEmpty {
            recent.insert(actions.finished, dead: actions.burials.lazy.map(\.message))
        }
        if !actions.settlements.isEmpty {
            var byShard: [Int: [Settlement]] = [:]
            for (shard, settlement) in actions.settlements { byShard[shard, default: []].append(settlement) }
            for (shard, settlements) in byShard {
                state.unwritten[shard].take(settlements.count, now: clock.monotonic())
                let accepted = lanes[shard].submit(settlements)
                // A closed one takes nothing: the broker has stopped or was declared dead, and what is not written comes again.
                precondition(
                    accepted == settlements.count || lanes[shard].isClosed,
                    "a write-behind lane is bounded by the delivery machine alone")
            }
        }
        for group in actions.left where !state.machine.isPresent(group) { routing.setPresence(of: group, false) }
        if actions.scansWanted { for wakeup in scansWanted { wakeup.signal() } }
        return handOut(actions.deliveries, state.sinks)
    }

    /// Gives each client its deliveries, in their order, run by run.
    private func handOut(
        _ deliveries: [DeliveryActions.Delivery], _ known: [DeliveryClientID: any DeliverySink]
    ) -> [DeliveryClientID: any DeliverySink] {
        var sinks: [DeliveryClientID: any DeliverySink] = [:]
        var rest = deliveries[...]
        while let client = rest.first?.client {
            let next = rest.firstIndex { $0.client != client } ?? rest.endIndex
            if let sink = known[client] {
                sink.enqueue(rest[..<next])
                sinks[client] = sink
            }
            rest = rest[next...]
        }
        return sinks
    }
}
