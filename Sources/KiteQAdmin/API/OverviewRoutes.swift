import HTTPTypes
import Hummingbird
import KiteQBroker
import KiteQCore

/// This broker at a glance.
struct OverviewRoutes {
    let services: AdminServices
    private let health: HealthWatch
    private let started = SystemTime.monotonic()

    init(_ services: AdminServices) {
        self.services = services
        health = HealthWatch(services)
    }

    func add(to routes: ReadingRoutes) {
        let (services, health, started) = (services, health, started)
        routes.get("overview", for: .counts, .within) { request, context in
            try QueryReader(request).refuseRest()
            let scope = try context.requireCaller().scope
            let uptime = (SystemTime.monotonic() - started) / 1_000_000
            return JSONAnswer(
                OverviewAnswer(
                    services, startedAt: services.broker.time - uptime,
                    findings: HealthRules.findings(await health.view().within(scope)), isForAll: scope.isAll))
        }
    }
}

struct OverviewAnswer: Encodable, Sendable {
    struct BrokerPart: Encodable, Sendable {
        enum State: String, Encodable, Sendable { case starting, serving, draining }

        var name: String
        var address: String
        @ExplicitNull var incarnation: String?
        var state: State
    }

    struct RatesPart: Encodable, Sendable {
        var published = 0.0
        var delivered = 0.0
        var acknowledged = 0.0
        var failed = 0.0
    }

    struct Totals: Encodable, Sendable {
        var published = 0
        var refused = 0
        var delivered = 0
        var acknowledged = 0
        var failedDeliveries = 0
        var deadLettered = 0
        var committed = 0
        var rolledBack = 0
    }

    struct Queues: Encodable, Sendable {
        var awaitingStore = 0
        var inFlight = 0
        var queued = 0
        var unflushed = 0
        var connections = 0
        var groups = 0
    }

    struct Memory: Encodable, Sendable {
        var messages = 0
        var bytes = 0
    }

    var broker: BrokerPart
    var version: String
    var startedAt: Time
    var now: Time
    var health: [Finding]
    /// Sums over all topics and groups, as the next ones: left out where not all of them may be seen.
    var rates: RatesPart?
    var totals: Totals?
    var queues: Queues?
    var memory: Memory?
    var leases: [LeaseAnswer]

    init(_ services: AdminServices, startedAt: Timestamp, findings: [Finding], isForAll: Bool) {
        let broker = services.broker
        let status = broker.status
        self.broker = BrokerPart(
            name: broker.identity.name, address: broker.identity.address,
            incarnation: status.map { "\($0.incarnation)" },
            state: status == nil ? .starting : status?.phase == .serving ? .serving : .draining)
        version = services.version
        self.startedAt = startedAt.time
        now = broker.time.time
        health = findings
        leases = (status?.shards ?? []).map { LeaseAnswer(shard: $0.shard, remaining: $0.leaseSeconds) }
        guard isForAll else { return }
        (rates, totals, queues, memory) = (RatesPart(), Totals(), Queues(), Memory())
        guard let status else { return }
        fill(status, broker.rates?.total.tenSeconds ?? Rates.Rate())
    }

    private mutating func fill(_ status: BrokerStatus, _ rate: Rates.Rate) {
        let delivery = status.delivery
        rates = RatesPart(
            published: rate.published, delivered: rate.delivered, acknowledged: rate.acknowledged, failed: rate.failed)
        totals = Totals(
            published: status.publishing.stored.count,
            refused: status.publishing.refused.count + status.publishing.overloaded.count
                + status.publishing.failed.count,
            delivered: delivery.delivered, acknowledged: delivery.acknowledged,
            failedDeliveries: delivery.refused + delivery.timedOut + delivery.lostWithConnection,
            deadLettered: delivery.deadLettered, committed: status.transactions.committed.count,
            rolledBack: status.transactions.rolledBack.count)
        queues = Queues(
            awaitingStore: status.publishQueue.items, inFlight: status.gauges.inFlight, queued: status.gauges.queued,
            unflushed: status.gauges.unflushed, connections: status.connections,
            groups: status.connectionsByGroup.count)
        memory = Memory(messages: status.gauges.messages, bytes: status.gauges.bytes)
    }
}
