/// What all brokers together counted of some topics, step by step.
package struct TopicSeries: Sendable, Hashable {
    package struct Point: Sendable, Hashable {
        /// The start of the step.
        package var at: Timestamp
        package var counters: TopicCounters

        package init(at: Timestamp, counters: TopicCounters) {
            self.at = at
            self.counters = counters
        }
    }

    /// By time, at most ``maxSteps``. A step in which nothing was counted has none.
    package var points: [Point]
    /// Milliseconds.
    package var step: Timestamp

    package static let maxSteps = 2_500

    /// - Parameter sums: by the start of the step.
    package init(_ sums: [Timestamp: TopicCounters], step: Timestamp) {
        points = sums.map { Point(at: $0.key, counters: $0.value) }.sorted { $0.at < $1.at }
        self.step = step
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
