/// How many deliveries one connection is sent before it answers: as many as its window has, until some time out unanswered; then
/// as many as it has shown to answer within the time that it has, and more again bit by bit.
///
/// A client that takes messages into its own hands faster than it handles them would else have the last of a full window in time
/// out each time, and be sent them again on top. As for a congested line, what is sent shrinks at once and grows back slowly
/// near the place where it was too much.
package struct WindowPace: Sendable {
    /// Where it never goes below, unless the window itself is smaller: a client that answers nothing is still tried with some.
    package static let least = 16

    /// At most so many.
    package let most: Int
    /// Nanoseconds: the time that an answer has.
    package let span: MonotonicTime
    package private(set) var limit: Int

    /// From here on it grows by one for each full window of answers; below, by one for each answer.
    private var threshold: Int
    /// Answers in time since the last growth above the threshold.
    private var credit = 0
    /// Answers in the span under way, and in the one before.
    private var current = 0
    private var before = 0
    private var spanEnd: MonotonicTime

    /// - Parameters:
    ///   - most: at least 1.
    ///   - span: above 0.
    package init(most: Int, span: MonotonicTime, now: MonotonicTime) {
        self.most = most
        self.span = span
        limit = most
        threshold = most
        spanEnd = now + span
    }

    /// The client answered a delivery; `inTime`: before it was given up.
    package mutating func answered(inTime: Bool, now: MonotonicTime) {
        turn(now)
        current += 1
        guard inTime, limit < most else { return }
        credit += 1
        if limit < threshold || credit >= limit {
            limit += 1
            credit = 0
        }
    }

    /// Some deliveries timed out now. To be told once for all that did at a time.
    package mutating func timedOut(now: MonotonicTime) {
        turn(now)
        // A little less than it can do: what is sent waits for its turn.
        let answers = max(current, before) * 3 / 4
        limit = min(limit, max(min(Self.least, most), answers))
        threshold = limit
        credit = 0
    }

    private mutating func turn(_ now: MonotonicTime) {
        guard now >= spanEnd else { return }
        // Longer ago than one span: there were none in the one before.
        before = now < spanEnd + span ? current : 0
        current = 0
        spanEnd = now + span
    }
}
