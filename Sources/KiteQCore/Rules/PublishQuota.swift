/// What one group publishes, held against its rate in messages and in bytes.
///
/// In any span of time it lets through at most rate × time and a burst: half a second's messages, and one second's bytes or
/// one message of the largest size, so that each message comes through in the end. What it refuses takes nothing.
package struct PublishQuota: Sendable {
    /// Which of the two a publish is over, with the limit.
    package enum Excess: Sendable, Hashable {
        case rate(Int)
        case bytes(Int)
    }

    private var messages: TokenBucket?
    private var bytes: TokenBucket?
    private var limits = (rate: 0, bytes: 0)

    /// The largest message, in bytes.
    package static let largestMessage = 2 << 20

    package init() {}

    /// One publish of so many bytes, at most ``largestMessage``. Nil where it is within the limits.
    /// - Parameter limits: those in force. One that is new begins with its full burst, one that is changed with the same part of
    ///   it as before.
    package mutating func take(bytes count: Int, within limits: GroupLimits, now: MonotonicTime) -> Excess? {
        adopt(limits, now)
        if messages?.take(upTo: 1, now: now) == 0 { return .rate(limits.rate) }
        if var bucket = bytes {
            let taken = bucket.take(upTo: count, now: now)
            if taken < count {
                messages?.giveBack(1)
                return .bytes(limits.bytes)
            }
            bytes = bucket
        }
        return nil
    }

    /// Whether it is as good as a new one.
    package func isFull(now: MonotonicTime) -> Bool {
        [messages, bytes].allSatisfy { bucket in
            bucket.map { $0.nextAvailable($0.burst, now: now) == nil } ?? true
        }
    }

    private mutating func adopt(_ limits: GroupLimits, _ now: MonotonicTime) {
        if limits.rate != self.limits.rate {
            Self.set(&messages, rate: limits.rate, burst: nil, now)
        }
        if limits.bytes != self.limits.bytes {
            Self.set(&bytes, rate: limits.bytes, burst: max(limits.bytes, Self.largestMessage), now)
        }
        self.limits = (limits.rate, limits.bytes)
    }

    private static func set(_ bucket: inout TokenBucket?, rate: Int, burst: Int?, _ now: MonotonicTime) {
        guard rate > 0 else {
            bucket = nil
            return
        }
        if bucket == nil {
            bucket = TokenBucket(rate: rate, burst: burst)
        } else {
            bucket?.setRate(rate, burst: burst, now: now)
        }
    }
}
