/// What became of half messages since the start.
package struct TransactionCounters: Sendable {
    package let committed = Counter()
    /// Of the committed, those that no group was bound to.
    package let forNobody = Counter()
    package let rolledBack = Counter()
    /// Of the committed and rolled back, those that had been parked.
    package let late = Counter()
    /// About a topic whose bindings this broker does not know: left to brokers that do.
    package let left = Counter()
    /// Answers that say again what the first final one said, or to no message.
    package let repeated = Counter()
    /// After the first final one, and not the same.
    package let contrary = Counter()
    /// From a group that may not answer.
    package let refused = Counter()
    /// Not written; the producer will be asked.
    package let dropped = Counter()
    package let asked = Counter()
    package let parked = Counter()
}
