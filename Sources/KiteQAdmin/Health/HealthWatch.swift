import KiteQBroker
import KiteQCore

/// What the overview knows of the store: asked for in the background while somebody looks. Who looks first, or after a while, waits
/// for it, but not for long: what was found an hour ago would mislead.
struct HealthWatch: Sendable {
    private let services: AdminServices
    private let answers = AnswerCache<Int, Stored>(lifetime: .seconds(5))

    /// Groups that are looked at.
    private static let groups = 500
    /// Undecided half messages from each end of their order.
    private static let transactions = 100
    /// What is older is waited for,
    private static let age: Duration = .seconds(15)
    /// so long.
    private static let patience: Duration = .seconds(2)

    struct Stored: Sendable {
        var shards: [ShardReport]
        var groups: [GroupReport]
        var hasAllGroups: Bool
        var transactions: [OpenTransaction]
        var recentDeadLetters: BoundedCount
    }

    init(_ services: AdminServices) { self.services = services }

    /// What is known now.
    func view() async -> HealthView {
        let services = services
        let broker = services.broker
        let answer = await answers.latest(0, within: Self.age, patience: Self.patience) { await Self.ask(services) }
        let stored = answer?.value
        var view = HealthView(now: broker.time)
        view.storeAge = answer?.age
        view.readiness = broker.readiness
        view.isDraining = broker.status?.phase.isStopping ?? false
        view.isRegistryConnected = broker.isRegistryConnected
        view.clockIncidents = broker.status?.clockIncidents ?? []
        view.registryProblems = broker.registryProblems
        view.rejectedBindings = broker.rejectedBindings
        view.shards = stored?.shards ?? []
        let here = GroupsHere(broker)
        view.groups = (stored?.groups ?? []).map { report in
            let name = BindingName(report.name)
            return .init(
                report: report, minute: here.rates[name]?.minute ?? Rates.Rate(),
                clientsHere: here.statuses[name]?.clients ?? 0,
                lastDoubt: here.statuses[name]?.counters.lastDoubt)
        }
        view.hasAllGroups = stored?.hasAllGroups ?? false
        view.transactions = stored?.transactions ?? []
        view.unknownTopics = Set(view.transactions.map(\.topic)).filter { !broker.knows($0) }
        view.undecidedAfter = HealthRules.undecidedAge(broker.transactionSchedule)
        view.recentDeadLetters = stored?.recentDeadLetters ?? .zero
        return view
    }

    private static func ask(_ services: AdminServices) async -> Stored {
        let store = services.store
        async let shards = store.shardReports()
        async let groups = store.groupReports(after: nil, limit: Self.groups)
        var filter = DeadLetterFilter()
        filter.diedFrom = services.broker.time - 3_600_000
        async let dead = store.deadLetterCount(filter)
        var transactions: [OpenTransaction] = []
        do {
            // A shard that does not answer has a finding of its own.
            transactions = try await store.undecided(limit: Self.transactions).transactions
        } catch {
            // It throws for a cursor of another store alone, and none is given.
        }
        let listing = await groups
        return Stored(
            shards: await shards, groups: listing.groups,
            hasAllGroups: listing.next == nil && listing.failures.isEmpty, transactions: transactions,
            recentDeadLetters: await dead.count)
    }
}
