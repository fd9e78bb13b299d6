import KiteQCore
import MariaDB

/// The bindings as last known, in the first shard.
extension Shard {
    func saveBindings(_ bindings: [Binding], topics: [String]) async throws {
        var rows = MariaDBBatch([.bytes, .int, .bytes, .bytes, .int, .int, .int])
        for topic in topics.sorted() {
            // Number 0 says that the topic was saved, be it without any binding.
            let known = [Binding(group: "", topic: topic, messageType: "")] + bindings.filter { $0.topic == topic }
            for (number, binding) in known.enumerated() {
                rows.append(topic)
                rows.append(Int64(number))
                rows.append(binding.group)
                rows.append(binding.messageType)
                rows.append(Int64(binding.kind.rawValue))
                rows.append(Int64(min(max(binding.watermark, 0), Int(Int32.max))))
                rows.append(Int64(binding.persistent ? 1 : 0))
            }
        }
        let batch = rows
        try await run { connection in
            try connection.transaction {
                for topic in topics.sorted() { try connection.execute(SQL.deleteBindings, [.text(topic)]) }
                if batch.count > 0 { try connection.insert(into: SQL.insertBindings, batch) }
            }
        }
        noteSaved(bindings, topics: topics)
    }

    func savedBindings(topics: [String], on pool: MariaDBPool? = nil) async throws -> [Binding]? {
        try await run(on: pool) { connection in
            var isKnown = false
            var bindings: [Binding] = []
            for topic in topics {
                for row in try connection.query(SQL.bindings, [.text(topic)]) {
                    isKnown = true
                    guard try row.int(0) > 0, let kind = BindKind(rawValue: Int(try row.int(3))) else { continue }
                    bindings.append(
                        Binding(
                            group: try row.text(1), topic: topic, messageType: try row.text(2), kind: kind,
                            watermark: Int(try row.int(4)), persistent: try row.int(5) != 0))
                }
            }
            return isKnown ? bindings : nil
        }
    }
}
