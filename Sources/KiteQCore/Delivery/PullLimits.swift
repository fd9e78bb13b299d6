/// The bounds of deliveries that are pulled. Durations are nanoseconds.
package struct PullLimits: Sendable {
    /// Messages of one pull.
    package var messages = 1_000
    /// Pulls that wait, of one group
    package var waitingOfGroup = 1_000
    /// and of all.
    package var waiting = 10_000
    /// Receipts that are not answered yet, and those promised to pulls that wait, of one group
    package var receiptsOfGroup = 10_000
    /// and of all.
    package var receipts = 100_000
    /// The shortest and the longest visibility.
    package var visibility: ClosedRange<MonotonicTime> = 1_000_000_000...3_600_000_000_000
    /// The longest wait.
    package var longestWait: MonotonicTime = 60_000_000_000
    /// How long a group counts as present after its last pull.
    package var lingering: MonotonicTime = 10_000_000_000
    /// How long a receipt whose time was up may still be good news.
    package var lateTime: MonotonicTime = 60_000_000_000

    package init() {}
}
