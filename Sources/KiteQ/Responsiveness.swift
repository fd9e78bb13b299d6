import NIOCore
import Synchronization

/// Whether a connection's broker can be expected to answer: judged by what it owes, not by a heartbeat that comes every few seconds.
///
/// A broker that owes the answer to a publish and has said nothing at all for `patience` since is suspect: it hangs, or the way
/// to it does. Whatever it says then clears it. Its event loop writes, anybody reads.
final class Responsiveness: Sendable {
    private let patience: TimeAmount
    /// When the oldest publish that is owed an answer was sent, by the running clock; 0: nothing is owed.
    private let owedSince = Atomic<UInt64>(0)
    private let heardAt = Atomic<UInt64>(0)

    init(patience: Duration) {
        self.patience = .nanoseconds(patience.wholeNanoseconds)
    }

    func owes(since sentAt: NIODeadline?) {
        owedSince.store(sentAt?.uptimeNanoseconds ?? 0, ordering: .relaxed)
    }

    func heard(at now: NIODeadline) { heardAt.store(now.uptimeNanoseconds, ordering: .relaxed) }

    func isSuspect(now: NIODeadline = .now()) -> Bool {
        let owed = owedSince.load(ordering: .relaxed)
        guard owed > 0 else { return false }
        return now - .uptimeNanoseconds(max(owed, heardAt.load(ordering: .relaxed))) >= patience
    }
}
