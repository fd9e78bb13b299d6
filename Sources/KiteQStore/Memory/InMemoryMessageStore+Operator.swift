package import KiteQCore

extension InMemoryMessageStore {
    package func pausedGroups() async throws -> Set<String> { data.withOperators { Set($0.pauses.keys) } }

    package func addSamples(_ samples: [TopicSample]) async throws { data.withOperators { $0.add(samples) } }
}
