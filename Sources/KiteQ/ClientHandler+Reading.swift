import NIOCore

/// When the connection is read. A broker that sends without end gets no more of this process's memory than its share: it is read while
/// there is room for deliveries, and while it takes the answers to them.
extension ClientHandler {
    enum ReadPause {
        /// As many deliveries are in hand as may be.
        case handsFull
        /// The broker does not read the answers.
        case answersUnsent(since: NIODeadline)
    }

    /// Bytes of answers that may wait to be sent while the broker is read.
    private static let mostUnsentAnswers = 1 << 20
    /// Bytes that may wait to be sent before nothing is taken that somebody could ask for again.
    private static let mostUnsent = 32 << 20

    func read(context: ChannelHandlerContext) {
        if pause == nil { context.read() } else { isReadWanted = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        updateReading()
        context.fireChannelWritabilityChanged()
    }

    /// To be called when deliveries came or went, and when something was written.
    func updateReading() {
        guard let context else { return }
        let wasPaused = pause != nil
        pause = reason(wasPaused)
        guard wasPaused, pause == nil else { return }
        // It could not be heard.
        lastRead = .now()
        if isReadWanted {
            isReadWanted = false
            context.read()
        }
    }

    private func reason(_ wasPaused: Bool) -> ReadPause? {
        guard case .consumer = role else { return nil }
        // A producer's broker is always read: the acks that it sends are for what waits here to be sent.
        if unsentBytes > Self.mostUnsentAnswers {
            if case .answersUnsent = pause { return pause }
            return .answersUnsent(since: .now())
        }
        return (wasPaused ? hands.isStillFull : hands.isFull) ? .handsFull : nil
    }

    /// Nil where a publish, or a transaction's answer, may be written.
    var reasonNotToWrite: String? {
        let unsent = unsentBytes
        return unsent < Self.mostUnsent
            ? nil : "\(unsent >> 20) MiB wait for the broker, which does not take them; nothing of this was sent"
    }

    private var unsentBytes: Int {
        guard let channel = context?.channel, !channel.isWritable else { return 0 }
        do {
            return try channel.syncOptions?.getOption(.bufferedWritableBytes) ?? 0
        } catch {
            // The channel has ended, and what waited with it.
            return 0
        }
    }
}
