/// The events of a history by message, each in their order: two arrays of numbers, whatever the number of events.
package struct HistoryIndex: Sendable {
    private let events: [HistoryEvent]
    private let starts: [Int]
    private let order: [UInt32]

    package init(_ events: [HistoryEvent]) {
        self.events = events
        let count = Int(events.lazy.map(\.message).max().map { $0 + 1 } ?? 0)
        var starts = [Int](repeating: 0, count: count + 1)
        for event in events { starts[Int(event.message) + 1] += 1 }
        for message in starts.indices.dropFirst() { starts[message] += starts[message - 1] }
        var next = starts
        var order = [UInt32](repeating: 0, count: events.count)
        for (index, event) in events.enumerated() {
            order[next[Int(event.message)]] = UInt32(index)
            next[Int(event.message)] += 1
        }
        self.starts = starts
        self.order = order
    }

    /// Messages are numbered from 0.
    package var messageCount: Int { starts.count - 1 }

    package func events(of message: UInt32) -> [HistoryEvent] {
        guard Int(message) < messageCount else { return [] }
        return order[starts[Int(message)]..<starts[Int(message) + 1]].map { events[Int($0)] }
    }
}
