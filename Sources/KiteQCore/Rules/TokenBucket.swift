/// A rate with a burst: tokens come at `rate` a second, at most `burst` are kept, and each thing done takes one.
///
/// In any span of time it gives out at most burst + rate × time. It counts in billionths of a token, so that a nanosecond
/// brings exactly `rate` of them: nothing is lost or gained by asking often, and a pause of any length only fills it.
package struct TokenBucket: Sendable, Hashable {
    /// A billion; what is above counts as this.
    package static let maximumRate = 1_000_000_000
    private static let token: Int64 = 1_000_000_000

    /// Tokens a second.
    package private(set) var rate: Int
    package private(set) var burst: Int
    /// Billionths of a token that were there at `last`.
    private var level: Int64
    private var last: MonotonicTime?

    /// A full bucket.
    ///
    /// - Parameters:
    ///   - rate: a second, 1 to a billion; what lies outside is brought within.
    ///   - burst: likewise; half the rate by default, at least 1 (docs/protocol.md#watermark).
    package init(rate: Int, burst: Int? = nil) {
        self.rate = Self.clamp(rate)
        self.burst = Self.clamp(burst ?? self.rate / 2)
        level = Int64(self.burst) * Self.token
    }

    /// Takes as many of `count` as there are now.
    package mutating func take(upTo count: Int, now: MonotonicTime) -> Int {
        fill(now)
        let taken = min(max(0, count), Int(level / Self.token))
        level -= Int64(taken) * Self.token
        return taken
    }

    /// Gives back what was taken and not used. It is kept only as far as the burst allows.
    package mutating func giveBack(_ count: Int) {
        let returned = Int64(min(max(0, count), burst)) * Self.token
        level = min(full, level + returned)
    }

    /// When so many tokens (the burst, where that is less) are there, if nobody takes any; nil if they are there now.
    package func nextAvailable(_ count: Int = 1, now: MonotonicTime) -> MonotonicTime? {
        var filled = self
        filled.fill(now)
        let missing = Int64(min(max(0, count), burst)) * Self.token - filled.level
        guard missing > 0 else { return nil }
        // A clock that seems to stand or go back fills nothing until it is past `last` again.
        return max(now, filled.last ?? now) + (missing - 1) / Int64(rate) + 1
    }

    /// Changes rate and burst. A bucket that was half full still is, so that a change that is repeated gives nothing away.
    package mutating func setRate(_ newRate: Int, burst newBurst: Int? = nil, now: MonotonicTime) {
        fill(now)
        let oldBurst = burst
        rate = Self.clamp(newRate)
        burst = Self.clamp(newBurst ?? rate / 2)
        // At most 10⁹ tokens of 10⁹ parts, times 10⁹: more than a word, but the quotient fits again.
        let product = UInt64(level).multipliedFullWidth(by: UInt64(burst))
        level = Int64(UInt64(oldBurst).dividingFullWidth(product).quotient)
    }

    private var full: Int64 { Int64(burst) * Self.token }

    private mutating func fill(_ now: MonotonicTime) {
        guard let last else {
            self.last = now
            return
        }
        guard now > last else { return }
        self.last = now
        let missing = full - level
        let (elapsed, overflow) = now.subtractingReportingOverflow(last)
        // Compared by time first: days times a high rate would not fit.
        if overflow || elapsed > missing / Int64(rate) {
            level = full
        } else {
            level += elapsed * Int64(rate)
        }
    }

    private static func clamp(_ value: Int) -> Int { min(max(1, value), maximumRate) }
}
