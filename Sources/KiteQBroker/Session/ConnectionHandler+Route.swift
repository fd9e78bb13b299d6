import KiteQCore
import KiteQWire
import Logging
import NIOCore

/// A publish of a message type that many expressions have to be tried with: they are tried elsewhere, and the connection waits, so
/// that its packets keep their order. What is held meanwhile is what came with one read.
extension ConnectionHandler {
    /// Holds the packet, and all behind it, until its route is known.
    func waitForRoute(of packet: Packet, topic: String, messageType: String, _ connection: Connection) {
        // An end that has come waits for nothing: the publish has no answer, and its client tries again.
        guard let context, !isEnding else { return }
        held.append(packet)
        isFindingRoute = true
        updatePause()
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        services.routes.find(
            topic: topic, messageType: messageType, for: connection.group, isWanted: { connection.isOpen }
        ) { [eventLoop = context.eventLoop] route in
            eventLoop.execute { bound.value.goOn(with: route) }
        }
    }

    /// The first of what is held has its route; the rest is handled as if it had come now.
    private func goOn(with route: Route?) {
        guard isFindingRoute, case .open(let connection, _) = state else { return }
        isFindingRoute = false
        refreshSettings()
        let packets = held
        held = []
        asRead {
            for (index, packet) in packets.enumerated() {
                if index == 0 {
                    try publish(packet, of: connection, found: .some(route))
                } else {
                    try handle(packet)
                }
            }
        }
    }

    /// The connection ends: what had come whole counts, but for publishes whose route is not known.
    func handleHeld() {
        guard isFindingRoute else { return }
        isFindingRoute = false
        isEnding = true
        let packets = held
        held = []
        do {
            // The first is the publish that waits.
            for packet in packets.dropFirst() { try handle(packet) }
        } catch {
            logger.debug(
                "a packet of a connection that ended cannot be understood: \(error)", metadata: ["peer": "\(peer)"])
        }
    }
}
