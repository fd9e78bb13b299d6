import KiteQCore

/// Who is bound to what: each group and topic is a node that the registry keeps until somebody takes it away, and that every broker
/// of the topic reads at its start. What groups declare through a broker is bounded by it.
struct DeclaredTopics {
    /// More than any consumer has; a group is in all of them at each change of the registry.
    static let mostOfGroup = 1_000
    /// Brokers read so many within seconds, and ZooKeeper holds some 10 MB for them in each of its servers.
    static let mostInAll = 20_000

    /// By group, what was declared here. The registry says it, too, a moment later.
    private var byGroup: [BindingName: Set<BindingName>] = [:]

    /// Takes note that a group declares itself bound to these topics, in place of those before.
    ///
    /// - Parameter bindings: those in force.
    /// - Returns: why it is too many, a sentence; nil where it is not, and noted.
    mutating func declare(
        _ topics: Set<BindingName>, of group: BindingName, beside bindings: some Sequence<Binding>
    ) -> String? {
        var all = byGroup
        for binding in bindings { all[BindingName(binding.group), default: []].insert(BindingName(binding.topic)) }
        let own = all[group, default: []]
        let new = topics.subtracting(own).count
        // Whoever binds itself to what it is bound to adds nothing.
        if new > 0 {
            guard own.count + new <= Self.mostOfGroup else {
                return
                    "the group would be bound to \(own.count + new) topics, and \(Self.mostOfGroup) are allowed: those that it does not need must be ended first"
            }
            guard all.values.reduce(new, { $0 + $1.count }) <= Self.mostInAll else {
                return
                    "there would be more than \(Self.mostInAll) groups and topics that are bound to each other here: those of groups that are gone must be ended first"
            }
        }
        byGroup[group] = topics
        return nil
    }
}
