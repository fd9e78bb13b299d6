package import KiteQCore
import Synchronization

/// Which groups a message is for, now: the bindings as last known, less the groups that asked not to be kept for and have no
/// client at any broker.
package final class Routing: Sendable {
    private struct State {
        /// Nil until the bindings were learned: nothing is accepted before.
        var table: BindingTable?
        var present: Set<String> = []
        /// By shard: groups that have clients at other brokers.
        var elsewhere: [Int: Set<String>] = [:]
        var routes: [Key: Route] = [:]

        func isPresent(_ group: String) -> Bool {
            present.contains(group) || elsewhere.values.contains { $0.contains(group) }
        }
    }

    private struct Key: Hashable {
        var topic: BindingName
        var messageType: BindingName
    }

    private let state = Mutex(State())
    private let changes = Atomic<Int>(0)
    private let cacheLimit: Int

    package init(cacheLimit: Int = 100_000) {
        self.cacheLimit = cacheLimit
    }

    package var isKnown: Bool { state.withLock { $0.table != nil } }

    /// Grows with each change: a route is another's to remember for as long as this is the same.
    package var version: Int { changes.load(ordering: .acquiring) }

    package func set(_ table: BindingTable) {
        change { $0.table = table }
    }

    private func change(_ body: (inout State) -> Void) {
        state.withLock { state in
            body(&state)
            state.routes.removeAll()
            changes.wrappingAdd(1, ordering: .releasing)
        }
    }

    /// A group's first client came, or its last one went.
    package func setPresence(of group: String, _ isPresent: Bool) {
        change { state in
            if isPresent { state.present.insert(group) } else { state.present.remove(group) }
        }
    }

    /// What a shard says of the groups at other brokers.
    package func setElsewhere(_ groups: Set<String>, shard: Int) {
        if state.withLock({ $0.elsewhere[shard] ?? [] != groups }) { change { $0.elsewhere[shard] = groups } }
    }

    /// Whether it has a client, here or, as far as the store has said, elsewhere.
    package func isPresent(_ group: String) -> Bool { state.withLock { $0.isPresent(group) } }

    /// Whether it has clients at other brokers, and the shard says so.
    package func isElsewhere(_ group: String, shard: Int) -> Bool {
        state.withLock { $0.elsewhere[shard]?.contains(group) ?? false }
    }

    /// The route of a message; without members where nobody is bound to it, nil while the bindings are not known.
    package func route(topic: String, messageType: String) -> Route? {
        state.withLock { state in
            guard let table = state.table else { return nil }
            let key = Key(topic: BindingName(topic), messageType: BindingName(messageType))
            if let route = state.routes[key] { return route }
            let members = table.groups(topic: topic, messageType: messageType)
                .filter { $0.persistent || state.isPresent($0.group) }
                .map { Route.Member(group: $0.group, persistent: $0.persistent) }
            let route = Route(members)
            // Message types are the producers' choice: the cache starts over rather than grow with them.
            if state.routes.count >= cacheLimit { state.routes.removeAll() }
            state.routes[key] = route
            return route
        }
    }

    package var bindings: [Binding] { state.withLock { $0.table?.bindings ?? [] } }
}
