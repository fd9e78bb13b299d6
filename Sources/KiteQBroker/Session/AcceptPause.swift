package import NIOCore

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Lets a listening socket rest where the system has no descriptor for the connection that waits.
///
/// That connection makes the socket readable again at once, so without a rest its thread would do nothing but try.
package final class AcceptPause: ChannelInboundHandler {
    package typealias InboundIn = any Channel
    package typealias InboundOut = any Channel

    private let failures: AcceptFailures
    private let rest: TimeAmount
    private var timer: Scheduled<Void>?

    package init(_ failures: AcceptFailures, rest: TimeAmount = .milliseconds(250)) {
        self.failures = failures
        self.rest = rest
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.errnoCode) else {
            return context.fireErrorCaught(error)
        }
        failures.add(error)
        guard timer == nil else { return }
        setReading(false, context)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: rest) {
            self.timer = nil
            self.setReading(true, context)
        }
    }

    package func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        context.fireChannelInactive()
    }

    private func setReading(_ reading: Bool, _ context: ChannelHandlerContext) {
        do {
            try context.channel.syncOptions?.setOption(.autoRead, value: reading)
        } catch {
            // It is closed: nobody waits there any more.
        }
    }
}
