import KiteQCore

extension HealthView {
    /// What of it is the broker's own, or about topics and groups of a scope. What the shards have in all, what died in all and
    /// what is wrong with the registry, which names any topic and group, is for those who may see everything.
    func within(_ scope: NameScope) -> HealthView {
        guard !scope.isAll else { return self }
        var view = self
        view.registryProblems = []
        view.rejectedBindings = rejectedBindings.filter { scope.has(topic: $0.topic) && scope.has(group: $0.group) }
        view.shards = []
        view.groups = groups.filter { scope.has(group: $0.report.name) }
        view.hasAllGroups = hasAllGroups && scope.groups == nil
        view.transactions = transactions.filter(scope.has)
        view.recentDeadLetters = .zero
        return view
    }
}
