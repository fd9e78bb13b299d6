import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Points of a message's way at which a debug build can be told to die as by `kill -9`: `KITEQ_CRASH_AT=NAME:N` ends the
/// process when it comes to the point for the Nth time. A release build knows nothing of it.
///
/// The fault harness (docs/faults.md) kills a broker at each of them, and checks that nothing is lost by it.
@usableFromInline package enum CrashPoint: String, Sendable, CaseIterable {
    // Publishing.
    /// A publish was read, and is not yet in its shard's lane.
    case publishReceived = "publish-received"
    /// A batch is about to be written.
    case inserting
    /// A batch is committed, and nobody knows.
    case inserted
    /// Its senders were told, and nothing is delivered yet.
    case publishAcknowledged = "publish-acknowledged"

    // Delivering.
    /// Deliveries were handed to their connections.
    case delivered
    /// A consumer's answer was read.
    case deliveryAcknowledged = "delivery-acknowledged"
    /// What became of deliveries is about to be written.
    case settling
    /// In the transaction that writes it: groups of their own have their rows, the message is not yet tracked.
    case tracking
    /// In the transaction that writes it: a dead letter is there, the message too.
    case burying
    /// It is written, and memory does not know.
    case settled

    // Half messages.
    /// A half message is committed as such, and its sender was not told.
    case halfStored = "half-stored"
    /// A commit or roll back was read.
    case decisionReceived = "decision-received"
    /// In the transaction of commits and roll backs, all of it written, none committed.
    case deciding
    /// All of it is committed, and nobody knows.
    case decided
    /// A commit is written, and nothing is delivered yet.
    case committed
    /// A roll back is written.
    case rolledBack = "rolled-back"
    /// It is written that a question was asked, and it was not.
    case questionClaimed = "question-claimed"
    /// The question is on its way.
    case asked

    // What waits in the store.
    /// A page was read, and is not yet in the queues.
    case loaded
    /// Messages of a dead broker are this one's now, and only the store knows.
    case orphanClaimed = "orphan-claimed"
    /// In the transaction that takes deliveries that were nobody's.
    case deliveryTaken = "delivery-taken"
    /// In the transaction that gives away deliveries that a dead broker held.
    case releasing

    // A broker's life.
    /// A shard knows it, and the next ones do not yet.
    case joining
    /// All shards know it, and it does not serve yet.
    case joined
    /// It said goodbye to a shard, and to the next ones not yet.
    case leaving

    /// Dies here where it was told to.
    @inlinable package static func reached(_ point: CrashPoint) {
        #if DEBUG
            if let target = ArmedCrashPoint.told { target.reached(point) }
        #endif
    }
}

#if DEBUG
    /// What `KITEQ_CRASH_AT` says.
    @usableFromInline final class ArmedCrashPoint: Sendable {
        /// Nil where it says nothing. Read once.
        @usableFromInline static let told: ArmedCrashPoint? = getenv("KITEQ_CRASH_AT").map {
            ArmedCrashPoint(String(cString: $0))
        }

        private let point: CrashPoint
        private let left: Atomic<Int>

        private init(_ text: String) {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, let point = CrashPoint(rawValue: String(parts[0])), let count = Int(parts[1]),
                count > 0
            else {
                // Whoever sets it tests: to run without it would be a test that proves nothing.
                preconditionFailure(
                    "KITEQ_CRASH_AT is '\(text)'; it takes NAME:N, such as inserted:100, with one of the names "
                        + CrashPoint.allCases.map(\.rawValue).joined(separator: ", "))
            }
            self.point = point
            left = Atomic(count)
        }

        @usableFromInline func reached(_ point: CrashPoint) {
            guard point == self.point, left.subtract(1, ordering: .relaxed).newValue == 0 else { return }
            kill(getpid(), SIGKILL)
            // Nothing behind the point may happen while the signal is on its way.
            while true { pause() }
        }
    }
#endif
