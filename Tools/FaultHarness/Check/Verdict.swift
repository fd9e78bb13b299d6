/// What a history shows.
package struct Verdict: Sendable {
    /// What one fault has to do with deliveries that came twice.
    package struct OfFault: Sendable, Hashable {
        package var duplicates = 0
        /// Deliveries that could have come twice because of it: open, or acknowledged within the window, when it hit.
        package var bound = 0
        /// Of the duplicates, how long before the fault the earlier delivery was acknowledged at the most; seconds.
        package var oldestAnswer = 0.0
        /// Of the messages whose sender knew their outcome before it was over, and after the fault before it was.
        package var findings: [Finding.Kind: Int] = [:]
    }

    package var findings: [Finding] = []
    /// In the order of the faults.
    package var faults: [OfFault]
    /// Deliveries that came twice because the message was published again after an outcome that its sender did not know.
    package var republished = 0
    /// Deliveries that came again because their consumer took longer than the brokers wait.
    package var late = 0
    /// Deliveries that came again because their consumer lost its connection over another message.
    package var takenAlong = 0
    /// Ids that were taken once more.
    package var reused = 0
    /// Messages that are gone because their shard was put back to a state of before.
    package var putBack: Set<UInt32> = []
    /// The message that a group waited for longest, from its ack or, of a half message, its commit; seconds.
    package var longestWait: (message: UInt32, seconds: Double)?
    /// How long after a pause what its broker had sent or decided before reached a consumer at the latest, seconds.
    package var lateness = 0.0

    package var messages = 0
    /// Stored, and of those that are half messages, to be committed.
    package var expected = 0
    package var unknown = 0
    package var deliveries = 0
    package var accepted = 0
    package var buried = 0
    package var parked = 0

    package init(faults: Int) {
        self.faults = Array(repeating: OfFault(), count: faults)
    }

    package func count(_ kind: Finding.Kind) -> Int { findings.count { $0.kind == kind } }
    package var duplicates: Int { faults.reduce(0) { $0 + $1.duplicates } }
}
