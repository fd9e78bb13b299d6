import KiteQCore
import MariaDB

/// Counts over time, in the first shard.
extension Shard {
    func addSamples(_ samples: [TopicSample]) async throws {
        guard !samples.isEmpty else { return }
        var rows = MariaDBBatch([.int, .bytes, .bytes, .int, .int, .int, .int, .int])
        // In the order of the key: brokers that add at the same time do not wait for each other in a circle.
        let sorted = samples.sorted { ($0.at, $0.broker, $0.topic) < ($1.at, $1.broker, $1.topic) }
        for sample in sorted {
            rows.append(sample.at)
            rows.append(sample.broker)
            rows.append(sample.topic)
            rows.append(Int64(sample.counters.published))
            rows.append(Int64(sample.counters.committed))
            rows.append(Int64(sample.counters.delivered))
            rows.append(Int64(sample.counters.acknowledged))
            rows.append(Int64(sample.counters.deadLettered))
        }
        let batch = rows
        try await run { connection in
            try connection.transaction {
                try connection.insert(into: OperatorSQL.insertSamples, batch, tail: OperatorSQL.addSamples)
            }
        }
    }
}
