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

    /// Whether anybody has heard of it; a shard that does not answer may have. Not shown.
    var isKnown: Bool
    var group: String
    var isPaused: Bool
    /// It has clients here, and nothing is acknowledged: what the findings call critical.
    var isStopped: Bool
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
    /// At this broker.
    var limits: GroupLimitsAnswer
    var countedAt: Time
    var unreachable: [UnreachableShard]

    private enum CodingKeys: String, CodingKey {
        case group, isPaused, isStopped, pause, clientsHere, brokers, inFlight, queued, waiting, oldestAt, retrying,
            nextRetryAt
        case deadLetters, delivered, acknowledged, failed, totals, limits, countedAt, unreachable
    }

    /// - Parameters:
    ///   - here: what this broker knows of groups.
    ///   - brokers: names by incarnation.
    init(
        _ report: GroupReport, _ here: GroupsHere, brokers names: [Int64: String], at: Timestamp,
        unreachable: [UnreachableShard]
    ) {
        let status = here.statuses[BindingName(report.name)]
        let rate = here.rates[BindingName(report.name)]?.tenSeconds ?? Rates.Rate()
        group = report.name
        isKnown =
            status != nil || report.pause != nil || !report.connectedTo.isEmpty || report.waiting != .zero
            || report.deadLetters != .zero || !unreachable.isEmpty
        pause = report.pause.map { Pause(at: $0.pausedAt.time, by: $0.pausedBy, reason: $0.reason) }
        isPaused = report.pause != nil || status?.isPaused == true
        clientsHere = status?.clients ?? 0
        // What the store says of this broker may be some seconds old.
        let isHere = status?.isPresent ?? true
        brokers = report.connectedTo.map { names[$0] ?? "incarnation \($0)" }
            .filter { isHere || $0 != here.brokerName }
        let view = HealthView.Group(
            report: report, minute: here.rates[BindingName(report.name)]?.minute ?? Rates.Rate(),
            clientsHere: clientsHere)
        isStopped = HealthRules.group(view, here.now).contains { $0.severity == .critical }
        inFlight = status?.inFlight ?? 0
        queued = status?.queued ?? 0
        waiting = CountAnswer(report.waiting)
        oldestAt = report.oldestAcceptedAt?.time
        retrying = CountAnswer(report.retrying)
        nextRetryAt = report.nextDueAt?.time
        deadLetters = CountAnswer(report.deadLetters)
        delivered = rate.delivered
        acknowledged = rate.acknowledged
        failed = rate.failed
        limits = GroupLimitsAnswer(here.limits(report.name))
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

/// What this broker knows of groups, at one moment.
struct GroupsHere: Sendable {
    var statuses: [BindingName: GroupStatus]
    var rates: [BindingName: Rates.Spans]
    var limits: @Sendable (String) -> GroupLimits
    var brokerName: String
    /// Unix milliseconds.
    let now: Timestamp

    init(_ broker: Broker) {
        brokerName = broker.identity.name
        let messaging = broker.messaging
        limits = { messaging?.limits(of: $0) ?? GroupLimits() }
        now = broker.time
        statuses = Dictionary(
            (broker.status?.groups ?? []).map { (BindingName($0.name), $0) }, uniquingKeysWith: { first, _ in first })
        rates = broker.rates?.groups ?? [:]
    }

    /// The store knows the groups that it has something of; those that are only bound are added to its page, in order.
    func adding(to reports: [GroupReport], after: String?, until next: String?) -> [GroupReport] {
        let known = Set(reports.map { BindingName($0.name) })
        let missing = statuses.keys.filter { name in
            statuses[name]?.isBound == true && !known.contains(name)
                && (after.map { BindingName($0) < name } ?? true) && (next.map { !(BindingName($0) < name) } ?? true)
        }
        return (reports + missing.map { GroupReport(name: $0.text) }).sorted {
            BindingName($0.name) < BindingName($1.name)
        }
    }
}
