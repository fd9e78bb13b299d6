/// Takes what became of deliveries.
package protocol SettlementStore: Sendable {
    /// Writes what became of deliveries (at most one settlement a seq).
    /// Returns the seqs that were not this incarnation's any more: nothing was changed of them, drop them.
    /// - Throws: ``PartlySettled`` where some of the batch is written, and must not be written again.
    func settle(_ batch: [Settlement], shard: Int) async throws -> [Int64]
}

/// Some of a batch of settlements is written.
package struct PartlySettled: Error {
    /// Their seqs.
    package var done: [Int64]
    /// Of these, those that were not this incarnation's any more.
    package var lost: [Int64]
    /// What is left of those that were written in part: to be written in place of what was given.
    package var begun: [Settlement]
    /// Those that were tried alone, and that the store does not take now: they need not hold up the others.
    package var stuck: [Int64]
    /// Why the rest is not.
    package var cause: any Error

    package init(
        done: [Int64], lost: [Int64], begun: [Settlement] = [], stuck: [Int64] = [], cause: any Error
    ) {
        self.done = done
        self.lost = lost
        self.begun = begun
        self.stuck = stuck
        self.cause = cause
    }
}
