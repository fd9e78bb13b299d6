package import KiteQCore
import Synchronization

extension ZooKeeperRegistry {
    package var problems: [RegistryProblem] {
        state.withLock { state in
            var problems: [RegistryProblem] = []
            if let (work, reason) = state.refusal {
                let consequence =
                    work == nil ? "nothing new is learned from it" : "clients do not find all of this broker's topics"
                problems.append(
                    RegistryProblem(
                        .refused, "\(reason): \(consequence).",
                        action: "Check registry.auth, and the ACL of the node; it is tried again all the time."))
            }
            for (topic, bindings) in state.topics.sorted(by: { $0.key < $1.key }) {
                if let problem = problem(of: topic, bindings) { problems.append(problem) }
                problems += nodeProblems(of: topic, bindings)
            }
            return problems
        }
    }

    private func problem(of topic: BindingName, _ bindings: TopicBindings) -> RegistryProblem? {
        let path = paths.bindings(topic.text)
        guard let reason = bindings.refusal else {
            return bindings.isHidden
                ? RegistryProblem(
                    .hidesTopic(topic.text),
                    "A node under \(path) cannot be read, and the shard that remembers the bindings is away: nobody knows who is bound to \(topic.text), and it is not served here.",
                    action: "Start the first shard's database, or let the brokers' user read the node.")
                : nil
        }
        return bindings.isHidden
            ? RegistryProblem(
                .hidesTopic(topic.text),
                "\(path) cannot be listed, \(reason): nobody knows who is bound to \(topic.text), and it is not served here.",
                action: "Let the brokers' user read and create under the node; it is tried again all the time.")
            : RegistryProblem(
                .leftOut, "\(path) cannot be listed, \(reason): the bindings of \(topic.text) stay as they were.",
                action: "Let the brokers' user read the node; it is tried again all the time.")
    }

    /// One for each thing that is the matter, however many nodes it is the matter with.
    private func nodeProblems(of topic: BindingName, _ bindings: TopicBindings) -> [RegistryProblem] {
        var nodes: [TopicBindings.Trouble: [String]] = [:]
        for (node, trouble) in bindings.troubles { nodes[trouble, default: []].append(node.text) }
        return nodes.sorted { $0.value[0] < $1.value[0] }.map { trouble, names in
            let which = "\(Self.list(names, of: "node")) under \(paths.bindings(topic.text))"
            switch trouble {
            case .unreadable(let reason):
                return RegistryProblem(
                    .leftOut, "Cannot read \(which), \(reason): \(TopicBindings.consequence).",
                    action: "Let the brokers' user read it, or delete it; it is tried again all the time.")
            case .malformed(let reason):
                return RegistryProblem(
                    .leftOut, "Cannot use \(which): \(reason), and \(TopicBindings.consequence).",
                    action: "Start the group's consumer, which writes it, or set it to what docs/zookeeper.md says.")
            }
        }
    }
}
