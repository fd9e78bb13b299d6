/// The time of a process, and waiting in it: the system's, or one that a test turns. What is compared with the store's contents
/// goes by ``ServerClock``.
package protocol ProcessClock: Sendable {
    /// Nanoseconds that never go back, and go on while the machine is suspended: a lease must not outlive its end.
    func monotonic() -> MonotonicTime

    /// Where rounds are counted from. The brokers of one machine need not all begin theirs at the same moments.
    var firstRound: MonotonicTime { get }

    /// Unix milliseconds by this machine's clock, which may be wrong: for people, and before any server was asked.
    func wall() -> Timestamp

    /// Returns at this time or after it; at once if it is over.
    /// - Throws: `CancellationError` if the task is cancelled before.
    func sleep(until time: MonotonicTime) async throws
}

extension ProcessClock {
    /// The milliseconds of `monotonic`.
    package func steady() -> Timestamp { monotonic() / 1_000_000 }

    /// - Throws: `CancellationError` if the task is cancelled before.
    package func sleep(for duration: Duration) async throws {
        try await sleep(until: monotonic() + duration.nanoseconds)
    }

    /// Waits so long, or until the task is cancelled.
    package func pause(_ duration: Duration) async {
        do { try await sleep(for: duration) } catch {
            // Cancelled: the caller looks.
        }
    }

    /// Waits until the next round, or until the task is cancelled. All that go round at the same interval do so at the same
    /// moments: an idle broker with many shards wakes its processor once for all of them.
    package func pauseUntilNextRound(of interval: Duration) async {
        let length = max(1, interval.nanoseconds)
        let rounds = (monotonic() - firstRound) / length + 1
        do { try await sleep(until: firstRound + rounds * length) } catch {
            // Cancelled: the caller looks.
        }
    }
}
