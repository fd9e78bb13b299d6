import KiteQCore
import Synchronization

/// The clients that are connected, by their groups.
final class ConnectionTable: ClientDirectory {
    private struct State {
        var byGroup: [BindingName: [UInt64: Connection]] = [:]
        var count = 0
    }

    private let state = Mutex(State())

    /// Returns whether it is within what its group may have.
    /// - Parameter limit: of connections of one group; 0: none.
    func insert(_ connection: Connection, atMost limit: Int) -> Bool {
        state.withLock { state in
            let group = BindingName(connection.group)
            guard limit == 0 || state.byGroup[group]?.count ?? 0 < limit else { return false }
            state.byGroup[group, default: [:]][connection.id] = connection
            state.count += 1
            return true
        }
    }

    func remove(_ connection: Connection) {
        state.withLock { state in
            let group = BindingName(connection.group)
            guard state.byGroup[group]?.removeValue(forKey: connection.id) != nil else { return }
            if state.byGroup[group]?.isEmpty == true { state.byGroup[group] = nil }
            state.count -= 1
        }
    }

    func askable(of group: String) -> [any QuestionedClient] {
        let clients = state.withLock { state in state.byGroup[BindingName(group)].map { Array($0.values) } ?? [] }
        return clients.filter { $0.isOpen && $0.askPreference != nil }
    }

    /// Those with ids above `id`, of some groups or of all, by id.
    func page(of groups: Set<BindingName>?, after id: UInt64, limit: Int) -> [Connection] {
        let found = state.withLock { state in
            (groups.map { $0.compactMap { state.byGroup[$0] } } ?? Array(state.byGroup.values)).flatMap(\.values)
        }
        return Array(found.filter { $0.id > id }.sorted { $0.id < $1.id }.prefix(limit))
    }

    var all: [Connection] {
        state.withLock { state in state.byGroup.values.flatMap(\.values) }
    }

    /// Clients by group.
    var counts: [String: Int] {
        let counts = state.withLock { $0.byGroup.mapValues(\.count) }
        return Dictionary(counts.map { ($0.key.text, $0.value) }, uniquingKeysWith: +)
    }

    /// Those whose connection is encrypted.
    var encryptedCount: Int { all.count(where: \.admission.isEncrypted) }

    var count: Int { state.withLock { $0.count } }
}
