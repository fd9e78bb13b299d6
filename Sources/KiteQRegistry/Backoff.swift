/// Pauses between attempts: doubling up to a maximum, each shortened at random by up to a half so that many who lost the
/// same server do not come back together.
struct Backoff {
    private let initial: Duration
    private let maximum: Duration
    private var current: Duration

    init(initial: Duration, maximum: Duration) {
        self.initial = initial
        self.maximum = maximum
        current = initial
    }

    mutating func next() -> Duration {
        defer { current = min(current * 2, maximum) }
        return current * Double.random(in: 0.5...1)
    }

    mutating func reset() { current = initial }
}
