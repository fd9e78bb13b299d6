package import KiteQCore

/// How long the steps of messages took since the start.
package struct BrokerLatencies: Sendable {
    /// From a publish's arrival to its store ack, of those that were taken and stored.
    package var publish = LatencyHistogram()
    /// From the arrival of a commit or a roll back to its being stored.
    package var commit = LatencyHistogram()
    /// From a message's acceptance to the first attempt for each group.
    package var delivery = LatencyHistogram()
    /// From an attempt to its answer, where it came in time.
    package var acknowledgement = LatencyHistogram()
    /// From what follows of an answer to its being stored, to a millisecond.
    package var writeBehind = LatencyHistogram()

    package init(
        publish: LatencyHistogram = .init(), commit: LatencyHistogram = .init(), delivery: LatencyHistogram = .init(),
        acknowledgement: LatencyHistogram = .init(), writeBehind: LatencyHistogram = .init()
    ) {
        self.publish = publish
        self.commit = commit
        self.delivery = delivery
        self.acknowledgement = acknowledgement
        self.writeBehind = writeBehind
    }
}
