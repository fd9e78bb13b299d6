/// The bounds and times of delivery. Durations are nanoseconds.
package struct DeliveryLimits: Sendable {
    /// For how long a success is still good news after its delivery was given up.
    package var lateTime: MonotonicTime = 900_000_000_000
    /// How long after a delivery was sent its consumer may have it extended.
    package var longestHandling: MonotonicTime = 3_600_000_000_000
    /// Deliveries of one client that await their DELIVER_ACK.
    package var window = 512
    /// How long it takes from one message to the next that is tried with a connection that publishes and was never seen to consume,
    /// while others of its group live.
    package var trialInterval: MonotonicTime = 60_000_000_000
    /// Bytes of these, or one message: they may all lie in the connection's send buffer.
    package var windowBytes = 4 << 20
    /// Messages of one group that wait in memory; a longer backlog stays in the store.
    package var queueLength = 10_000
    /// Bytes of all messages in memory; a group may have as many of them as are free, and what is more stays in the store.
    package var memoryBytes = 256 << 20
    /// Settlements emitted and not yet written, a part of it for each shard; above that the delivery of its messages stops.
    package var unflushed = 100_000
    /// How long some groups may have finished a message and some not before that is written.
    package var partialAfter: MonotonicTime = 1_000_000_000
    /// Rows of a page of backlog,
    package var pageRows = 500
    /// and bytes of the messages loaded for it.
    package var pageBytes = 16 << 20
    /// Messages read from the store that are known for such should the insert that stored them report them later.
    package var pagedInRemembered = 65_536
    /// How often the store's word on what this broker has in memory is compared with its memory.
    package var orphanInterval: MonotonicTime = 30_000_000_000
    /// How long a scan waits after one that failed or met rows still being written.
    package var scanRetry: MonotonicTime = 200_000_000
    /// How long what is due waits for half of a queue to be free; then it takes any place that is.
    package var dueWait: MonotonicTime = 1_000_000_000
    /// Between two ticks, which are far more frequent: more means that the process was stopped for a while.
    package var standstill: MonotonicTime = 1_000_000_000
    /// Messages a second of a group whose binding names none (docs/protocol.md#watermark: 6000).
    package var defaultWatermark = 6_000
    package var pull = PullLimits()

    package init() {}

    /// Bytes in flight to one client: no more than a part of the memory, or one that does not answer would leave the others none.
    var clientBytes: Int { min(windowBytes, max(1, memoryBytes / 16)) }
}
