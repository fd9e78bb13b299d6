import KiteQWire
import NIOCore

/// Clients that have been let in must not fill the memory with packets that never become whole.
extension ConnectionHandler {
    /// A read ended.
    /// - Parameters:
    ///   - partial: bytes that are here of the packet under way.
    ///   - isNew: a packet has become whole with it.
    func watchRoom(partial: Int, isNew: Bool) {
        guard let connection = machine.client?.connection else { return }
        if isNew { leaveRoom(connection) }
        guard partial > PacketRoom.free, room == .none, let context else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let isThere = services.packetRoom.enter(connection.id, bytes: progress.announced, group: connection.group) {
            [eventLoop = context.eventLoop] in
            eventLoop.execute { bound.value.gotRoom() }
        }
        room = isThere ? .taken : .awaited
        updatePause()
    }

    /// To be called when the packet is whole, and at the end of the connection.
    func leaveRoom(_ connection: Connection) {
        guard room != .none else { return }
        services.packetRoom.leave(connection.id)
        room = .none
        updatePause()
    }

    private func gotRoom() {
        // It may be what an earlier packet waited for, which has become whole in the meantime.
        guard let connection = machine.client?.connection, room == .awaited,
            services.packetRoom.hasRoom(connection.id)
        else { return }
        room = .taken
        updatePause()
    }
}
