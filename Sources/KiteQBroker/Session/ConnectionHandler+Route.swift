import KiteQCore
import KiteQWire
import Logging
import NIOCore

/// A publish of a message type that many expressions have to be tried with: they are tried elsewhere, and the connection waits, so
/// that its packets keep their order. What is held meanwhile is what came with one read.
extension ConnectionHandler {
    /// Holds the packet, and all behind it, until its route is known.
    func waitForRoute(of packet: Packet, topic: String, messageType: String, _ connection: Connection) {
        guard let context, machine.awaitRoute(of: packet) else { return }
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
        guard let packets = machine.routeFound(), let connection = machine.client?.connection else { return }
        refreshSettings()
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
        do {
            for packet in machine.end() { try handle(packet) }
        } catch {
            logger.debug(
                "a packet of a connection that ended cannot be understood: \(error)", metadata: ["peer": "\(peer)"])
        }
    }
}
