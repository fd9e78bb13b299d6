import KiteQCore
import NIOCore

/// A client that reads nothing must not keep what it is sent in memory for ever.
extension ConnectionHandler {
    private static let check = TimeAmount.seconds(2)
    /// The patience with a client that reads nothing where all that may wait for such clients does.
    private static let crowdedPatience = TimeAmount.seconds(5)

    /// The channel takes no more, or the client is not read for the answers that it has not taken: these may be fewer bytes than the
    /// channel takes, for a write counts whole until it has ended.
    private func isStalled(_ context: ChannelHandlerContext) -> Bool {
        !context.channel.isWritable || reading.isHeld(by: .answers)
    }

    /// To be called when that begins, or ends.
    func watchWriting(_ context: ChannelHandlerContext) {
        if !isStalled(context) {
            stallTimer?.cancel()
            stallTimer = nil
        } else if stallTimer == nil {
            unwritten.watch(buffered: Self.buffered(context), now: .now())
            scheduleStallCheck()
        }
    }

    private func scheduleStallCheck() {
        guard let context else { return }
        stallTimer = context.eventLoop.assumeIsolated().scheduleTask(in: Self.check) { [weak self] in
            self?.checkStall()
        }
    }

    private func checkStall() {
        stallTimer = nil
        guard let context, isStalled(context) else { return }
        let standstill = unwritten.standstill(buffered: Self.buffered(context), now: .now())
        let isCrowded = services.dispatcher.outbound.room <= 0
        let patience = isCrowded ? Self.crowdedPatience : .nanoseconds(settings.packetTimeout.nanoseconds)
        guard standstill >= patience else { return scheduleStallCheck() }
        services.refusals.refuse(
            .slow, peer,
            "it has read nothing of what it is sent for \(standstill.nanoseconds / 1_000_000_000) s (broker.packet_timeout)"
        )
        context.close(promise: nil)
    }

    /// Bytes that the channel has and the socket has not.
    private static func buffered(_ context: ChannelHandlerContext) -> Int {
        do {
            return try context.channel.syncOptions?.getOption(.bufferedWritableBytes) ?? 0
        } catch {
            // It is closing: nothing of it waits.
            return 0
        }
    }
}
