import NIOCore

/// What a connection was given to send and its socket has not taken yet: deliveries by the account that all connections share,
/// answers by a bound of their own.
struct Unwritten {
    /// Bytes of answers (store acks, refusals, heartbeats) above which the client is not read: whoever does not read what it
    /// asked for gets no more of it.
    static let mostAnswers = 1 << 20

    /// What one write takes along; to be given to `wrote` when that has ended.
    struct Write {
        /// Of messages, as the account has them.
        var deliveries = 0
        /// Of packets that are answers.
        var answers = 0
    }

    /// Of what the next write takes: the messages, and the length of their packets.
    private var held = (deliveries: 0, length: 0)
    /// Written to the channel, and still there.
    private(set) var answers = 0
    /// Ever written to the channel.
    private var total = 0
    /// The most that was seen to have left the channel, and when.
    private var drained = 0
    private var drainedAt = NIODeadline.uptimeNanoseconds(0)

    /// Deliveries joined what the next write takes.
    mutating func hold(deliveries bytes: Int, length: Int) {
        held.deliveries += bytes
        held.length += length
    }

    /// So many bytes are written to the channel.
    mutating func write(_ length: Int) -> Write {
        let write = Write(deliveries: held.deliveries, answers: length - held.length)
        held = (0, 0)
        answers += write.answers
        total += length
        return write
    }

    /// There will be no write: what was held for it.
    mutating func end() -> Write {
        defer { held = (0, 0) }
        return Write(deliveries: held.deliveries)
    }

    mutating func wrote(_ write: Write) { answers -= write.answers }

    // MARK: Standing still

    /// The channel takes no more, and has so many bytes.
    mutating func watch(buffered: Int, now: NIODeadline) {
        drained = total - buffered
        drainedAt = now
    }

    /// For how long nothing has left the channel, which has so many bytes left.
    mutating func standstill(buffered: Int, now: NIODeadline) -> TimeAmount {
        if total - buffered > drained { watch(buffered: buffered, now: now) }
        return now - drainedAt
    }
}
