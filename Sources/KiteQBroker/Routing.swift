package import KiteQCore
import Synchronization

/// Which groups a message is for, now: the bindings as last known, less the groups that asked not to be kept for and have no
/// client at any broker.
///
/// It answers for the topics whose bindings are known. Of any other it does not say that nobody is bound to it.
package final class Routing: Sendable {
    private struct State {
        var table = BindingTable.empty
        /// The topics that these are all bindings of; none until they were learned, and nothing is accepted before.
        var known: Set<BindingName> = []
        /// Who may subscribe to what.
        var access = AccessRules()
        var present: Set<String> = []
        /// By shard: groups that have clients at other brokers.
        var elsewhere: [Int: Set<String>] = [:]
        var routes: [Key: Route] = [:]

        func isPresent(_ group: String) -> Bool {
            present.contains(group) || elsewhere.values.contains { $0.contains(group) }
        }

        func route(to matches: [BindingTable.Match]) -> Route {
            Route(
                matches.filter { $0.persistent || isPresent($0.group) }
                    .map { Route.Member(group: $0.group, persistent: $0.persistent) })
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

    /// Whether the bindings of any topic are known.
    package var isKnown: Bool { state.withLock { !$0.known.isEmpty } }

    /// Whether all bindings of this topic are known.
    package func knows(_ topic: String) -> Bool { state.withLock { $0.known.contains(BindingName(topic)) } }

    /// Grows with each change: a route is another's to remember for as long as this is the same.
    package var version: Int { changes.load(ordering: .acquiring) }

    /// - Parameter topics: those that the table has all bindings of.
    package func set(_ table: BindingTable, of topics: some Sequence<String>, access: AccessRules = AccessRules()) {
        let known = Set(topics.map(BindingName.init))
        change { ($0.table, $0.known, $0.access) = (table, known, access) }
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

    /// The route of a message; without members where nobody is bound to it, nil where the topic's bindings are not known.
    package func route(topic: String, messageType: String) -> Route? {
        state.withLock { state in
            let key = Key(topic: BindingName(topic), messageType: BindingName(messageType))
            if let route = state.routes[key] { return route }
            guard state.known.contains(key.topic) else { return nil }
            let route = state.route(to: state.table.groups(topic: topic, messageType: messageType))
            // Message types are the producers' choice: the cache starts over rather than grow with them.
            if state.routes.count >= cacheLimit { state.routes.removeAll() }
            state.routes[key] = route
            return route
        }
    }

    /// The route of a message by bindings that are not this broker's own; nil where they do not tell whom it is for: they bind
    /// nobody to it, or a group that may not subscribe by this broker's rules. Those who serve the topic may know better.
    package func route(topic: String, messageType: String, by table: BindingTable) -> Route? {
        let matches = table.groups(topic: topic, messageType: messageType)
        return state.withLock { state in
            let isTold = !matches.isEmpty && matches.allSatisfy { state.access.maySubscribe($0.group, to: topic) }
            return isTold ? state.route(to: matches) : nil
        }
    }

    package var bindings: [Binding] { state.withLock { $0.table.bindings } }
}
