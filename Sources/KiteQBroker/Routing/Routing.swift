package import KiteQCore
import Synchronization

/// Which groups a message is for, now: the bindings as last known, less the groups that asked not to be kept for and have no
/// client at any broker.
///
/// It answers for the topics whose bindings are known. Of any other it does not say that nobody is bound to it.
///
/// Expressions are clients' input and may take long. None is tried under the lock, what was found of one is kept for as long as
/// it is bound, and who must not wait asks with ``find(topic:messageType:)``.
package final class Routing: Sendable {
    /// What was found at once.
    package enum Found: Sendable {
        case route(Route)
        /// The topic's bindings are not known.
        case unknown
        /// Its expressions have to be tried, which takes long: ``route(topic:messageType:)`` does it.
        case dear
    }

    private struct Rules {
        var table = BindingTable.empty
        /// The topics that these are all bindings of; none until they were learned, and nothing is accepted before.
        var known: Set<BindingName> = []
        /// Who may subscribe to what.
        var access = AccessRules()
        var present: Set<String> = []
        /// By shard: groups that have clients at other brokers.
        var elsewhere: [Int: Set<String>] = [:]

        func isPresent(_ group: String) -> Bool {
            present.contains(group) || elsewhere.values.contains { $0.contains(group) }
        }

        func route(to matches: [BindingTable.Match]) -> Route {
            Route(
                matches.filter { $0.persistent || isPresent($0.group) }
                    .map { Route.Member(group: $0.group, persistent: $0.persistent) })
        }
    }

    private struct State {
        var rules = Rules()
        var entries: GenerationCache<Key, Entry>
    }

    /// What is known of one message type. An object: every publish takes it out of the cache.
    private final class Entry: Sendable {
        /// True for as long as the expressions are bound.
        let patterns: PatternMatches
        /// True for as long as `routesVersion` is this.
        let route: Route
        let version: Int

        init(_ patterns: PatternMatches, _ route: Route, version: Int) {
            self.patterns = patterns
            self.route = route
            self.version = version
        }

        /// In some tens of bytes.
        var weight: Int { 8 + patterns.count + route.members.count }
    }

    private struct Key: Hashable {
        var topic: BindingName
        var messageType: BindingName
    }

    private let state: Mutex<State>
    private let changes = Atomic<Int>(0)
    private let routeChanges = Atomic<Int>(0)

    /// What is tried at once, in steps of some nanoseconds.
    package static let cheap = 20_000

    /// - Parameter cacheLimit: of what is remembered, in some tens of bytes; a message type takes eight, and one for each group.
    package init(cacheLimit: Int = 1_000_000) {
        state = Mutex(State(entries: GenerationCache(limit: cacheLimit)))
    }

    /// Whether the bindings of any topic are known.
    package var isKnown: Bool { state.withLock { !$0.rules.known.isEmpty } }

    /// ``AccessRules/provesGroups`` of the rules in force.
    package var provesGroups: Bool { state.withLock { $0.rules.access.provesGroups } }

    /// Whether all bindings of this topic are known.
    package func knows(_ topic: String) -> Bool { state.withLock { $0.rules.known.contains(BindingName(topic)) } }

    /// Grows with each change of the bindings and of where groups are.
    package var version: Int { changes.load(ordering: .acquiring) }

    /// A route is another's to remember for as long as this is the same.
    package var routesVersion: Int { routeChanges.load(ordering: .acquiring) }

    /// - Parameter topics: those that the table has all bindings of.
    package func set(_ table: BindingTable, of topics: some Sequence<String>, access: AccessRules = AccessRules()) {
        let known = Set(topics.map(BindingName.init))
        change { ($0.table, $0.known, $0.access) = (table, known, access) }
    }

    /// - Parameter changesRoutes: false where no route depends on it.
    private func change(changesRoutes: (Rules) -> Bool = { _ in true }, _ body: (inout Rules) -> Void) {
        state.withLock { state in
            body(&state.rules)
            changes.wrappingAdd(1, ordering: .releasing)
            guard changesRoutes(state.rules) else { return }
            routeChanges.wrappingAdd(1, ordering: .releasing)
        }
    }

    /// A group's first client came, or its last one went.
    package func setPresence(of group: String, _ isPresent: Bool) {
        change {
            $0.table.volatileGroups.contains(BindingName(group))
        } _: { rules in
            if isPresent { rules.present.insert(group) } else { rules.present.remove(group) }
        }
    }

    /// What a shard says of the groups at other brokers.
    package func setElsewhere(_ groups: Set<String>, shard: Int) {
        // There is one who says it for each shard, one word after the other.
        let before = state.withLock { $0.rules.elsewhere[shard] ?? [] }
        guard before != groups else { return }
        let moved = before.symmetricDifference(groups).map(BindingName.init)
        change {
            !$0.table.volatileGroups.isDisjoint(with: moved)
        } _: {
            $0.elsewhere[shard] = groups
        }
    }

    /// Whether it has a client, here or, as far as the store has said, elsewhere.
    package func isPresent(_ group: String) -> Bool { state.withLock { $0.rules.isPresent(group) } }

    /// Whether it has clients at other brokers, and the shard says so.
    package func isElsewhere(_ group: String, shard: Int) -> Bool {
        state.withLock { $0.rules.elsewhere[shard]?.contains(group) ?? false }
    }

    // MARK: Routes

    /// The route of a message, where it is known or soon found. Never takes long.
    package func find(topic: String, messageType: String) -> Found {
        find(topic: topic, messageType: messageType, within: Self.cheap)
    }

    /// The route of a message, where ``find(topic:messageType:)`` finds one.
    func soon(topic: String, messageType: String) -> Route? {
        guard case .route(let route) = find(topic: topic, messageType: messageType) else { return nil }
        return route
    }

    /// The route of a message, however long that takes; without members where nobody is bound to it, nil where the topic's bindings
    /// are not known. Not for an event loop, nor for whoever holds a lock.
    package func route(topic: String, messageType: String) -> Route? {
        guard case .route(let route) = find(topic: topic, messageType: messageType, within: .max) else { return nil }
        return route
    }

    private enum Look {
        case found(Found)
        /// These bindings tell, and of their expressions this much was tried.
        case new(BindingTable, PatternMatches?)
    }

    private func find(topic: String, messageType: String, within work: Int) -> Found {
        let key = Key(topic: BindingName(topic), messageType: BindingName(messageType))
        let look = state.withLock { state -> Look in
            let entry = state.entries.value(of: key, weight: \.weight)
            if let entry, entry.version == routesVersion { return .found(.route(entry.route)) }
            guard state.rules.known.contains(key.topic) else { return .found(.unknown) }
            return .new(state.rules.table, entry?.patterns)
        }
        let (table, tried): (BindingTable, PatternMatches?)
        switch look {
        case .found(let found): return found
        case .new(let now, let known): (table, tried) = (now, known)
        }
        guard table.work(topic: topic, messageType: messageType, known: tried) <= work else { return .dear }
        let patterns = table.matches(topic: topic, messageType: messageType, known: tried)
        let matches = table.groups(topic: topic, messageType: messageType, patterns)
        return state.withLock { state in
            let route = state.rules.route(to: matches)
            // By bindings that were changed meanwhile it is as right as it was a moment ago, and not to be remembered.
            let version = state.rules.table.isSame(as: table) ? routesVersion : -1
            let entry = Entry(patterns, route, version: version)
            state.entries.insert(entry, for: key, weight: entry.weight)
            return .route(route)
        }
    }

    /// The route of a message by bindings that are not this broker's own; nil where they do not tell whom it is for: they bind
    /// nobody to it, or a group that may not subscribe by this broker's rules. Those who serve the topic may know better.
    ///
    /// May take as long as ``route(topic:messageType:)``.
    package func route(topic: String, messageType: String, by table: BindingTable) -> Route? {
        let matches = table.groupsIfAllCount(topic: topic, messageType: messageType)
        return state.withLock { state in
            let isTold = !matches.isEmpty && matches.allSatisfy { state.rules.access.maySubscribe($0.group, to: topic) }
            return isTold ? state.rules.route(to: matches) : nil
        }
    }

    package var bindings: [Binding] { state.withLock { $0.rules.table }.bindings }

    package var rejections: [BindingTable.Rejections] { state.withLock { $0.rules.table }.rejections }
}
