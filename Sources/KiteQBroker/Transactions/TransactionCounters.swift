/// What became of half messages since the start.
package struct TransactionCounters: Sendable {
    package let committed = Counter()
    package let rolledBack = Counter()
    /// Answers after the first final one, or to no message.
    package let repeated = Counter()
    /// From a group that may not answer.
    package let refused = Counter()
    /// Not written; the producer will be asked.
    package let dropped = Counter()
    package let asked = Counter()
    package let parked = Counter()
}
