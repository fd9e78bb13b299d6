/// A rate with a burst: tokens come at `rate` a second, at most `burst` are kept, each thing done takes one.
package struct TokenBucket: Sendable {
    package private(set) var rate: Int
    package private(set) var burst: Int
    private var tokens: Double
    private var last: MonotonicTime?

    /// - Parameters:
    ///   - rate: a second, at least 1.
    ///   - burst: half the rate by default (protocol.md, Watermark), at least 1.
    package init(rate: Int, burst: Int? = nil) {
        self.rate = max(1, rate)
        self.burst = max(1, burst ?? rate / 2)
        tokens = Double(self.burst)
    }

    /// Takes as many of `count` as there are now.
    package mutating func take(upTo count: Int, now: MonotonicTime) -> Int {
        fill(now)
        let taken = min(count, Int(tokens))
        tokens -= Double(taken)
        return taken
    }

    /// Changes the rate, and the burst to half of it; what is kept stays within the new burst.
    package mutating func setRate(_ newRate: Int, now: MonotonicTime) {
        fill(now)
        rate = max(1, newRate)
        burst = max(1, rate / 2)
        tokens = min(tokens, Double(burst))
    }

    private mutating func fill(_ now: MonotonicTime) {
        guard let last else {
            self.last = now
            return
        }
        guard now > last else { return }
        tokens = min(Double(burst), tokens + Double(now - last) / 1e9 * Double(rate))
        self.last = now
    }
}
