/// What one broker counted of one topic within a bucket of time; and, to add, how much more it counted.
package struct TopicSample: Sendable, Hashable {
    /// Milliseconds that a bucket lasts.
    package static let width: Timestamp = 5 * 60 * 1_000
    /// Milliseconds that a sample is kept.
    package static let retention: Timestamp = 8 * 86_400 * 1_000

    /// The start of the bucket.
    package var at: Timestamp
    package var broker: String
    package var topic: String
    package var counters: TopicCounters

    /// - Parameter at: any time within the bucket.
    package init(at: Timestamp, broker: String, topic: String, counters: TopicCounters) {
        self.at = at - at % Self.width
        self.broker = broker
        self.topic = topic
        self.counters = counters
    }
}
