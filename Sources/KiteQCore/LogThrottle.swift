/// Lets a number of lines through in each window of time and counts the others.
package struct LogThrottle: Sendable {
    private let limit: Int
    private let window: Duration
    private var windowStart: ContinuousClock.Instant?
    private var admitted = 0
    private var suppressed = 0

    package init(limit: Int, per window: Duration) {
        self.limit = limit
        self.window = window
    }

    /// Nil where the line is to be dropped; else how many were dropped since the last that was not.
    package mutating func admit(now: ContinuousClock.Instant) -> Int? {
        if let start = windowStart, now - start < window {
            guard admitted < limit else {
                suppressed += 1
                return nil
            }
        } else {
            windowStart = now
            admitted = 0
        }
        admitted += 1
        defer { suppressed = 0 }
        return suppressed
    }
}
