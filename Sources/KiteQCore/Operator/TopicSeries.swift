/// What all brokers together counted, topic by topic and step by step.
package struct TopicSeries: Sendable, Hashable {
    package struct Point: Sendable, Hashable {
        /// The start of the step.
        package var at: Timestamp
        package var topic: String
        package var counters: TopicCounters

        package init(at: Timestamp, topic: String, counters: TopicCounters) {
            self.at = at
            self.topic = topic
            self.counters = counters
        }
    }

    /// By time, then by topic. A step in which nothing was counted has none.
    package var points: [Point]
    /// Milliseconds.
    package var step: Timestamp
    /// False where there were more points than are given (``maxPoints``): the latest are missing.
    package var isComplete: Bool

    package static let maxPoints = 20_000
    /// Steps of one series at most.
    package static let maxSteps = 2_500

    package init(points: [Point], step: Timestamp, isComplete: Bool) {
        self.points = points
        self.step = step
        self.isComplete = isComplete
    }
}
