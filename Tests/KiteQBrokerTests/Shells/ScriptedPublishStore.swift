import KiteQCore

/// A store of one shard whose answers the test gives.
final class ScriptedPublishStore: PublishStore {
    /// A batch that it was given, and waits with.
    struct Call: Sendable {
        let batch: [Insertion]
        fileprivate let reply: CheckedContinuation<[Insertion.Outcome], any Error>

        /// The same of each row.
        func answer(_ outcome: Insertion.Outcome) { reply.resume(returning: batch.map { _ in outcome }) }
        func fail(_ error: StoreError) { reply.resume(throwing: error) }
    }

    let shardMap = ShardMap(shards: 1)
    private let calls: AsyncStream<Call>
    private let continuation: AsyncStream<Call>.Continuation

    init() { (calls, continuation) = AsyncStream.makeStream() }

    func insert(
        _ batch: [Insertion], shard: Int, deadline: ContinuousClock.Instant
    ) async throws -> [Insertion.Outcome] {
        try await withCheckedThrowingContinuation { reply in
            continuation.yield(Call(batch: batch, reply: reply))
        }
    }

    func probe(shard: Int) async throws {}

    /// The next batch, once it comes.
    func call() async -> Call {
        for await call in calls { return call }
        preconditionFailure("the stream of calls does not end")
    }
}
