import KiteQCore
import KiteQRegistry
import Logging

/// Whether a group may be bound as `kiteq consume` wants it: what its own consumers have said is not replaced unasked.
struct BindingCheck {
    let registry: RegistryConfiguration
    let binding: Binding
    let logger: Logger

    /// Waits for ZooKeeper as long as it takes.
    /// - Throws: ``CommandError`` where the group is bound to the topic in another way.
    func run() async throws {
        // Nothing but ZooKeeper is written to.
        guard case .zooKeeper = registry else { return }
        let registry = self.registry.makeRegistry(logger: logger)
        let topic = binding.topic
        let known = try await withThrowingTaskGroup(of: [Binding]?.self) { tasks in
            tasks.addTask {
                try await registry.run()
                return nil
            }
            tasks.addTask {
                for await bindings in registry.bindings(of: [topic]) { return bindings }
                return nil
            }
            defer { tasks.cancelAll() }
            return try await tasks.next() ?? nil
        }
        try Task.checkCancellation()
        try Self.check(binding, against: known ?? [])
    }

    static func check(_ binding: Binding, against known: [Binding]) throws(CommandError) {
        let own = known.filter {
            BindingName($0.group) == BindingName(binding.group) && BindingName($0.topic) == BindingName(binding.topic)
        }
        if own.isEmpty || own == [binding] { return }
        let words = own.map(words).sorted().joined(separator: "; ")
        throw CommandError(
            "\(binding.group) is bound to \(binding.topic) already, in another way (\(words)), and its consumers would get "
                + "other messages: consume with another --group, or say --replace if that is meant")
    }

    private static func words(_ binding: Binding) -> String {
        let which =
            switch binding.kind {
            case .direct: "the type \(binding.messageType)"
            case .regx: "types that match \(binding.messageType)"
            case .fanout: "every type"
            }
        let rate = binding.watermark > 0 ? ", \(binding.watermark) a second" : ""
        return VisibleText.escaped("\(which)\(rate)\(binding.persistent ? "" : ", not kept")")
    }
}
