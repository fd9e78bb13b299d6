/// Waits so long, or until the task is cancelled.
func pause(_ duration: Duration) async {
    do { try await Task.sleep(for: duration) } catch {
        // Cancelled: the caller looks.
    }
}

/// Waits until the next round, or until the task is cancelled. All that go round at the same interval do so at the same moments:
/// an idle broker with many shards wakes its processor once for all of them.
func pauseUntilNextRound(of interval: Duration) async {
    let rounds = ((ContinuousClock.now - firstRound) / interval).rounded(.down) + 1
    do { try await Task.sleep(until: firstRound + interval * rounds, clock: .continuous) } catch {
        // Cancelled: the caller looks.
    }
}

private let firstRound = ContinuousClock.now
