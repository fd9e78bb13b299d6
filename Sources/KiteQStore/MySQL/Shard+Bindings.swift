import KiteQCore
import MariaDB

/// The bindings as last known, in the first shard.
extension Shard {
    /// A topic's bindings are written together, so that nobody reads some of them; those of several topics need not be.
    func saveBindings(_ bindings: [Binding], topics: [String]) async throws {
        var refusals = Refusals()
        try await inParts(topics.sorted(), "save the bindings of", &refusals) { topics in
            let batch = Self.rows(bindings, topics)
            try await run { connection in
                try connection.transaction {
                    for topic in topics { try connection.execute(SQL.deleteBindings, [.text(topic)]) }
                    if batch.count > 0 { try connection.insert(into: SQL.insertBindings, batch) }
                }
            }
            noteSaved(bindings, topics: topics)
        }
    }

    private static func rows(_ bindings: [Binding], _ topics: [String]) -> MariaDBBatch {
        var rows = MariaDBBatch([.bytes, .int, .bytes, .bytes, .int, .int, .int])
        for topic in topics {
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
        return rows
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
