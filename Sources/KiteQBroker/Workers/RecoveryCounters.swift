/// What was brought back or ended of what nobody had in memory, since the start.
package struct RecoveryCounters: Sendable {
    /// Other brokers whose lease ran out and whose messages were taken over from here.
    package let takeovers = Counter()
    /// Pages of waiting messages that were read,
    package let pages = Counter()
    /// or could not be.
    package let failedPages = Counter()
    /// Deliveries of dead brokers that were set free.
    package let released = Counter()
    /// Deliveries that expired while nobody came for them.
    package let buried = Counter()
    /// Messages that nobody was owed any more, and that two servers of a cluster had left.
    package let unowed = Counter()
    /// Rows deleted whose retention was over.
    package let purged = Counter()
}
