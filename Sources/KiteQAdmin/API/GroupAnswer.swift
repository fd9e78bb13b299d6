import KiteQBroker
import KiteQCore

/// One consumer group: what the store has for it, and what this broker does.
struct GroupAnswer: Encodable, Sendable {
    struct Pause: Encodable, Sendable {
        var at: Time
        var by: String
        var reason: String
    }

    struct Totals: Encodable, Sendable {
        var delivered = 0
        var acknowledged = 0
        var refused = 0
        var timedOut = 0
        var deadLettered = 0
    }

    var group: String
    var isPaused: Bool
    var pause: Pause?
    var clientsHere: Int
    /// Names of the brokers with clients of it.
    var brokers: [String]
    /// At this broker.
    var inFlight: Int
    /// In this broker's memory.
    var queued: Int
    /// In the store, owed to it; what is in memory, too.
    var waiting: CountAnswer
    var oldestAt: Time?
    var retrying: CountAnswer
    var nextRetryAt: Time?
    var deadLetters: CountAnswer
    var delivered: Double
    var acknowledged: Double
    var failed: Double
    var totals: Totals
    var countedAt: Time
    var unreachable: [UnreachableShard]

    /// - Parameters:
    ///   - status: of this broker; nil where it knows nothing of the group.
    ///   - brokers: names by incarnation.
    init(
        _ report: GroupReport, _ status: GroupStatus?, brokers names: [Int64: String], at: Timestamp,
        unreachable: [UnreachableShard]
    ) {
        group = report.name
        pause = report.pause.map { Pause(at: $0.pausedAt.time, by: $0.pausedBy, reason: $0.reason) }
        isPaused = report.pause != nil || status?.isPaused == true
        clientsHere = status?.clients ?? 0
        brokers = report.connectedTo.map { names[$0] ?? "incarnation \($0)" }
        inFlight = status?.inFlight ?? 0
        queued = status?.queued ?? 0
        waiting = CountAnswer(report.waiting)
        oldestAt = report.oldestAcceptedAt?.time
        retrying = CountAnswer(report.retrying)
        nextRetryAt = report.nextDueAt?.time
        deadLetters = CountAnswer(report.deadLetters)
        delivered = status?.rates.delivered ?? 0
        acknowledged = status?.rates.acknowledged ?? 0
        failed = status?.rates.failed ?? 0
        totals = Totals()
        if let counters = status?.counters {
            totals = Totals(
                delivered: counters.delivered, acknowledged: counters.acknowledged, refused: counters.refused,
                timedOut: counters.timedOut + counters.lostWithConnection, deadLettered: counters.deadLettered)
        }
        countedAt = at.time
        self.unreachable = unreachable
    }
}
