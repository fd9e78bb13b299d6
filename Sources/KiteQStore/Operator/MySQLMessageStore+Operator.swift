package import KiteQCore

/// What brokers do for operators.
extension MySQLMessageStore {
    package func pausedGroups() async throws -> Set<String> { try await shards[0].pausedGroups() }

    package func addSamples(_ samples: [TopicSample]) async throws { try await shards[0].addSamples(samples) }
}
