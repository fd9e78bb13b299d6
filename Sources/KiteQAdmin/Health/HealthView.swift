import KiteQCore

/// What the findings are made from: all that is known, some of it some seconds old.
struct HealthView: Sendable {
    struct Group: Sendable {
        var report: GroupReport
        /// At this broker, over the last minute.
        var minute = Rates.Rate()
        /// Clients at this broker.
        var clientsHere: Int
        /// The last message that a client of it here may have been unable to take.
        var lastDoubt: GroupTraffic.Doubt?
    }

    /// Whether this broker can do its work.
    var readiness = Readiness([])
    var isDraining = false
    var isRegistryConnected = true
    /// What is wrong with the clocks, a sentence each.
    var clockIncidents: [String] = []
    var registryProblems: [RegistryProblem] = []
    /// Bindings that match nothing.
    var rejectedBindings: [BindingTable.Rejections] = []
    /// How old what the store said is: all that follows. Nil where it has said nothing yet.
    var storeAge: Timestamp? = 0
    var shards: [ShardReport] = []
    var groups: [Group] = []
    /// Whether these are all groups of the store: then one that is not among them has no client.
    var hasAllGroups = false
    /// The undecided half messages that are asked about next, and last.
    var transactions: [OpenTransaction] = []
    /// Their topics whose bindings this broker does not know: it does not ask about them.
    var unknownTopics: Set<String> = []
    /// From what age on somebody should look at one.
    var undecidedAfter = HealthRules.undecidedAfter
    /// Died within the last hour.
    var recentDeadLetters = BoundedCount.zero
    /// Unix milliseconds.
    var now: Timestamp
}
