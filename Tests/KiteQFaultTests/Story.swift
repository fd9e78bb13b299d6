@testable import FaultHarness

/// A history written by hand: each event a tenth of a second after the one before, unless it is said.
struct Story {
    private(set) var events: [HistoryEvent] = []
    private(set) var faults: [FaultRecord] = []
    private(set) var losses: [ConnectionLoss] = []
    var deadLetters: [DeadLetter] = []
    private var restarted: UInt32?
    private var time: UInt32 = 0
    private let load: CheckedLoad

    init(traits: LoadTraits = []) {
        load = CheckedLoad(seed: 42, traits: traits, brokers: 2, shards: 2, deliveryTimeout: 60_000)
    }

    /// The number of the first message that is planned so.
    func message(_ wanted: (MessagePlan) -> Bool) -> UInt32 {
        (0...).first { wanted(load.plan(of: $0)) } ?? 0
    }

    /// A plain message for groups 0 and 1 that nobody refuses.
    var plain: UInt32 {
        message { $0.way == .plain && $0.kind == 0 && $0.refusals == 0 && !$0.isPoison && !$0.isReused }
    }

    func shard(of message: UInt32) -> Int { load.shard(of: message) }

    func half(_ way: MessagePlan.Way) -> UInt32 {
        message { $0.way == way && $0.kind == 0 && $0.refusals == 0 && !$0.isPoison }
    }

    mutating func note(_ message: UInt32, _ kinds: HistoryEvent.Kind...) {
        for kind in kinds {
            time += 1_000
            events.append(HistoryEvent(time: time, message: message, kind: kind))
        }
    }

    mutating func note(
        _ message: UInt32, _ kind: HistoryEvent.Kind, by group: Int, broker: Int = 0, consumer: Int = 0,
        number: UInt8 = 0, overNewConnection isNew: Bool = false
    ) {
        time += 1_000
        events.append(
            HistoryEvent(
                time: time, message: message, kind: kind, group: group, broker: broker, consumer: consumer,
                delivery: number, connected: isNew ? time : 0))
    }

    /// Delivered and accepted.
    mutating func deliver(_ message: UInt32, to groups: Int..., broker: Int = 0, number: UInt8 = 0) {
        for group in groups {
            note(message, .delivered, by: group, broker: broker, number: number)
            note(message, .accepted, by: group, broker: broker, number: number)
        }
    }

    mutating func fault(_ kind: FaultKind, broker: Int = 0, seconds: UInt32 = 0, shard: Int? = nil) {
        let start = time + 500
        time += seconds * 10_000 + 1_000
        var fault = PlannedFault(kind: kind, broker: broker, delay: .zero, outage: .zero)
        fault.shard = shard
        faults.append(FaultRecord(fault: fault, start: start, end: time))
    }

    mutating func loseConnection(group: Int, broker: Int, consumer: Int) {
        time += 1_000
        losses.append(ConnectionLoss(time: time, group: group, broker: broker, consumer: consumer))
    }

    /// As the harness does at the end, where something is left.
    mutating func restartBrokers() {
        time += 1_000
        restarted = time
    }

    mutating func wait(seconds: UInt32) { time += seconds * 10_000 }
    mutating func rewind(seconds: UInt32) { time -= seconds * 10_000 }

    /// What is said of outages of shards.
    var silentOutages: [String] { ShardOutages(load, faults).silent(events) }

    /// What the checker says, with a window of 2 s.
    var verdict: Verdict {
        HistoryChecker(
            load: load, events: events, faults: faults, losses: losses, deadLetters: deadLetters, window: 20_000,
            restarted: restarted
        ).check()
    }

    /// Of the messages that were spoken of: those with lower numbers have no history.
    var findings: [Finding] { verdict.findings }
}
