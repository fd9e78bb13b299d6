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

extension TopicSeries {
    /// - Throws: `StoreError` where a range is not to be read by that step.
    package static func check(from: Timestamp, before: Timestamp, step: Timestamp) throws(StoreError) {
        guard step > 0, step % TopicSample.width == 0 else {
            throw StoreError(.failed, "a step is a multiple of \(TopicSample.width) ms, not \(step)")
        }
        let length = before.subtractingReportingOverflow(from)
        guard from >= 0, before > from, !length.overflow, length.partialValue / step <= Int64(maxSteps) else {
            throw StoreError(.failed, "a series has 1 to \(maxSteps) steps of \(step) ms")
        }
    }
}
