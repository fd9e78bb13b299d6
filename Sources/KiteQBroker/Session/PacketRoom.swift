import Synchronization

/// The memory for large packets that are on their way in, of all connections.
final class PacketRoom: Sendable {
    /// So much of a packet needs no room: most are smaller.
    static let free = 64 << 10

    private struct State {
        var rule: PacketRoomRule
        var wakes: [UInt64: @Sendable () -> Void] = [:]
    }

    private let state: Mutex<State>

    init(bytes: Int) { state = Mutex(State(rule: PacketRoomRule(bytes: bytes))) }

    /// Whether there is room for a packet of a connection now; else `wake` is called, from any thread, as soon as there is.
    func enter(_ connection: UInt64, bytes: Int, group: String, wake: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { state in
            if state.rule.enter(connection, bytes: bytes, group: group) { return true }
            state.wakes[connection] = wake
            return false
        }
    }

    /// Its packet is whole, or its connection has ended.
    func leave(_ connection: UInt64) {
        let wakes = state.withLock { state in
            state.wakes[connection] = nil
            return state.rule.leave(connection).compactMap { state.wakes.removeValue(forKey: $0) }
        }
        for wake in wakes { wake() }
    }

    func hasRoom(_ connection: UInt64) -> Bool { state.withLock { $0.rule.hasRoom(connection) } }
}
