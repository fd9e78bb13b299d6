package import KiteQCore
import Synchronization

extension Messaging {
    /// Publishes a group's bindings through the registry. They replace what was declared for it here before; brokers
    /// learn of them a moment later.
    ///
    /// - Throws: ``MessagingError``: `invalid` where a binding cannot be used or is another group's, `forbidden` where the group may not
    ///   subscribe to a topic or this broker does not serve it, `tooMany` beyond ``DeclaredTopics``, `unsupported` where the
    ///   registry cannot be written and says something else, `unavailable` where it does not take them within some seconds; they may
    ///   come into force later all the same.
    package func declare(bindings: [Binding], group: String) async throws {
        try check(group: group)
        for binding in bindings where BindingName(binding.group) != BindingName(group) {
            throw MessagingError(.invalid, "a binding of group \(binding.group) cannot be declared for group \(group)")
        }
        if let rejection = BindingTable(bindings).rejected.first {
            throw MessagingError(.invalid, rejection.reason)
        }
        let topics = Set(bindings.map { BindingName($0.topic) })
        try check(topics, of: group)
        let problem = declared.withLock {
            $0.declare(topics, of: BindingName(group), beside: services.routing.bindings)
        }
        if let problem { throw MessagingError(.tooMany, problem) }
        try await withThrowingTaskGroup(of: Void.self) { race in
            race.addTask { [registry] in
                do {
                    try await registry.publish(bindings: bindings, of: group)
                } catch let error as RegistryError where error.code == .unsupported {
                    // The sentence of the registry names a file of this machine, which is not for the group.
                    throw MessagingError(
                        .unsupported,
                        "the bindings of this broker are declared in its registry's file: whoever runs it must add them there"
                    )
                } catch let error as RegistryError {
                    throw MessagingError(error)
                }
            }
            race.addTask {
                try await self.services.clock.sleep(for: Self.registryTime)
                throw MessagingError(
                    .unavailable, "the registry does not answer; the bindings may come into force later")
            }
            defer { race.cancelAll() }
            try await race.next()
        }
    }

    /// What is declared stays in the registry, for all to read: nothing of it is for a topic that the group has no business with.
    private func check(_ topics: Set<BindingName>, of group: String) throws(MessagingError) {
        let settings = services.settings
        for topic in topics.sorted() {
            guard settings.access.maySubscribe(group, to: topic.text) else {
                throw MessagingError(.forbidden, "group \(group) may not subscribe to topic \(topic.text)")
            }
            guard settings.served.contains(topic.text) else {
                throw MessagingError(
                    .forbidden, "this broker does not serve topic \(topic.text): subscribe at one that does")
            }
        }
    }

    private static var registryTime: Duration { .seconds(5) }
}

extension MessagingError {
    /// A name that the registry cannot hold is the caller's to change; anything else may pass.
    init(_ error: RegistryError) {
        self.init(
            error.code == .invalid ? .invalid : .unavailable, "the registry did not take the bindings: \(error.message)"
        )
    }
}
