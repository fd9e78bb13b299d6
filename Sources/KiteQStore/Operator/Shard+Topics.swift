import KiteQCore
import MariaDB

/// Undone messages by topic and state: of a large shard its oldest and its newest.
extension Shard {
    /// Rows at each end. Bodies are not read but where they lie in the same page of the table.
    static let topicSample = 10_000

    func topicCounts(sample: Int = topicSample) async throws -> TopicCounts {
        try await ask { [number] connection, deadline in
            var counts: [TopicCounts.Count] = []
            var (looked, last) = (0, Int64(-1))
            for statement in [OperatorSQL.oldestTopics, OperatorSQL.newestTopics] {
                try deadline.check()
                let above = last
                var found = 0
                for row in try connection.query(statement, [.int(above), .int(sample)]) {
                    guard let state = UInt8(exactly: try row.int(1)).flatMap({ StoredMessage.State(rawValue: $0) })
                    else {
                        throw StoreError(.failed, "shard \(number): a message has the unknown state \(row.values[1])")
                    }
                    counts.append(.init(topic: try row.text(0), state: state, messages: Int(try row.int(2))))
                    found += Int(try row.int(2))
                    last = max(last, try row.int(3))
                }
                looked += found
                if found < sample { return TopicCounts(counts: counts, isExact: true, looked: looked) }
            }
            return TopicCounts(counts: counts, isExact: false, looked: looked)
        }
    }
}

extension TopicCounts {
    /// Adds up what each shard gave.
    init(_ shards: [TopicCounts], failures: [ShardFailure]) {
        struct Key: Hashable {
            var topic: String
            var state: StoredMessage.State
        }
        var sums: [Key: Int] = [:]
        for count in shards.flatMap(\.counts) {
            sums[Key(topic: count.topic, state: count.state), default: 0] += count.messages
        }
        let counts = sums.map { Count(topic: $0.key.topic, state: $0.key.state, messages: $0.value) }
        self.init(
            counts: counts.sorted {
                $0.topic == $1.topic
                    ? $0.state.rawValue < $1.state.rawValue : $0.topic.utf8.lexicographicallyPrecedes($1.topic.utf8)
            },
            isExact: failures.isEmpty && shards.allSatisfy(\.isExact), looked: shards.reduce(0) { $0 + $1.looked },
            failures: failures)
    }
}
