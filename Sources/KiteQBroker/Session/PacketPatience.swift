import KiteQCore
import NIOCore

/// How long the packet under way has been coming: a client that sends a byte now and then must not hold memory for ever.
///
/// At most one timer, made when a packet begins to be late and not at each read: most reads end within a packet.
struct PacketPatience {
    /// When the packet that is not whole began; nil where there is none.
    private(set) var since: NIODeadline?
    var timer: Scheduled<Void>?

    /// A read ended.
    /// - Parameters:
    ///   - isPartial: within a packet.
    ///   - isNew: after others, or the first of it.
    mutating func read(isPartial: Bool, isNew: Bool, now: NIODeadline) {
        if !isPartial { since = nil } else if isNew || since == nil { since = now }
    }

    /// The socket was not read, or is not now.
    mutating func restart(now: NIODeadline) {
        if since != nil { since = now }
    }

    mutating func end() {
        since = nil
        timer?.cancel()
        timer = nil
    }
}

extension ConnectionHandler {
    func watchPacket(isPartial: Bool, isNew: Bool) {
        patience.read(isPartial: isPartial, isNew: isNew, now: lastRead)
        if isPartial && patience.timer == nil { schedulePacketWatch() }
    }

    private func schedulePacketWatch() {
        guard let context, let since = patience.since else { return }
        let timeout = TimeAmount.nanoseconds(settings.packetTimeout.nanoseconds)
        patience.timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: since + timeout) { [weak self] in
            guard let self else { return }
            self.patience.timer = nil
            guard let since = self.patience.since else { return }
            if !self.isPaused && NIODeadline.now() - since >= timeout {
                self.services.refusals.refuse(
                    .slow, self.peer,
                    "a packet is not whole after \(self.settings.packetTimeout) (broker.packet_timeout)")
                self.close()
            } else {
                if self.isPaused { self.patience.restart(now: .now()) }
                self.schedulePacketWatch()
            }
        }
    }
}
