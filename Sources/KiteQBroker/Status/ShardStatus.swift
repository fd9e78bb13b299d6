package import KiteQCore

/// What a broker has to do with one shard.
package struct ShardStatus: Sendable, Hashable {
    package var shard: Int
    /// How long its lease of the shard still holds, in nanoseconds; nil where it holds none.
    package var leaseRemaining: MonotonicTime?
    /// Publishes that wait for the shard's writers, and their bytes.
    package var publishesWaiting: Int
    package var publishBytesWaiting: Int
    /// Outcomes of deliveries that are not written yet,
    package var unwritten: Int
    /// and about how long the oldest of them waits, in nanoseconds; nil where there are none.
    package var oldestUnwritten: MonotonicTime?
    /// The time of the shard's server; nil where it was not asked yet.
    package var clock: ServerClock?
    /// What keeps the broker from using the shard; nil where it can.
    package var trouble: String?
}
