import Foundation
import KiteQAdminClient

/// What `kiteq top` shows: the answers of one broker.
struct TopAnswers: Sendable {
    var overview = TopPart<API.Overview>()
    var groups = TopPart<[API.Group]>()
    var shards = TopPart<API.ShardList>()
    var brokers = TopPart<API.BrokerList>()

    /// Groups that are looked at, by name; those with most waiting are shown.
    static let maxGroups = 2_000

    /// Asks for everything at once. What fails is kept as it was, with the reason.
    mutating func refresh(_ client: AdminClient) async {
        async let overview = result { try await client.send(API.overview()) }
        async let shards = result { try await client.send(API.shards()) }
        async let brokers = result { try await client.send(API.brokers()) }
        async let groups = result {
            var groups: [API.Group] = []
            _ = try await client.forEachPage(of: API.groups(), limit: Self.maxGroups) { groups += $0.items }
            return groups
        }
        self.overview.take(await overview)
        self.shards.take(await shards)
        self.brokers.take(await brokers)
        self.groups.take(await groups)
    }
}

private func result<Value: Sendable>(_ body: () async throws -> Value) async -> Result<Value, any Error> {
    do { return .success(try await body()) } catch { return .failure(error) }
}
