package import KiteQCore
import Synchronization

/// A store that lasts as long as its process: for tests, and to try things out.
///
/// It keeps to the contract of `MessageStore` in every point but durability, and shows what the SQL store does in a form
/// that can be read at a glance. Brokers of one process may share it: each `session()` is one broker's view.
package final class InMemoryMessageStore: MessageStore {
    package let shardMap: ShardMap
    let data: InMemoryData
    private let incarnation = Mutex<Int64>(0)

    package convenience init(shards: Int = 4) {
        self.init(data: InMemoryData(shards: shards))
    }

    init(data: InMemoryData) {
        self.data = data
        shardMap = ShardMap(shards: data.shardCount)
    }

    /// Another broker's view of the same messages.
    package func session() -> InMemoryMessageStore { InMemoryMessageStore(data: data) }

    /// Whether every message is done.
    package var isEmpty: Bool {
        (0..<data.shardCount).allSatisfy { data.withShard($0) { $0.messages.isEmpty } }
    }

    package func run() async throws {
        do {
            try await Task.sleep(for: .seconds(Int32.max))
        } catch {
            data.leave(incarnation.withLock { $0 })
        }
    }

    package func join(as broker: BrokerIdentity) async throws -> Int64 {
        let number = data.join(broker)
        incarnation.withLock { $0 = number }
        return number
    }

    package func check() async throws {}

    package func insert(_ batch: [Insertion], shard: Int) async throws -> [Insertion.Outcome] {
        let owner = incarnation.withLock { $0 }
        return data.withShard(shard) { rows in batch.map { rows.insert($0, owner: owner) } }
    }

    package func decide(
        _ batch: [TransactionDecision], shard: Int,
        route: @escaping @Sendable (_ topic: String, _ messageType: String) -> Route
    ) async throws -> [TransactionDecision.Outcome] {
        let owner = incarnation.withLock { $0 }
        return data.withShard(shard) { rows in batch.map { rows.decide($0, owner: owner, route: route) } }
    }

    package func settle(_ batch: [Settlement], shard: Int) async throws -> [Int64] {
        let owner = incarnation.withLock { $0 }
        return data.withShard(shard) { rows in
            batch.compactMap { rows.settle($0, owner: owner) ? nil : $0.seq }
        }
    }

    package func freshBacklog(of group: String, shard: Int, after: Int64, limit: Int) async throws -> [Int64] {
        let mine = data.owners(besides: incarnation.withLock { $0 })
        return data.withShard(shard) { rows in
            Array(
                rows.messages.values.lazy
                    .filter { row in
                        row.stored.state == .fresh && row.stored.seq > after && mine.contains(row.owner)
                            && row.stored.route.members.contains { $0.group == group }
                    }
                    .map(\.stored.seq).sorted().prefix(limit))
        }
    }

    package func deliveries(
        of group: String, shard: Int, in range: DeliveryRange, limit: Int
    ) async throws -> DeliveryPage {
        let mine = data.owners(besides: incarnation.withLock { $0 })
        return data.withShard(shard) { rows in rows.deliveries(of: group, in: range, limit: limit, owners: mine) }
    }

    package func load(_ seqs: [Int64], shard: Int) async throws -> [StoredMessage] {
        let owner = incarnation.withLock { $0 }
        let mine = data.owners(besides: owner)
        return data.withShard(shard) { rows in
            seqs.sorted().compactMap { seq in
                guard let row = rows.messages[seq], row.stored.state != .half, mine.contains(row.owner) else {
                    return nil
                }
                rows.messages[seq]?.owner = owner
                return row.stored
            }
        }
    }

    package func dueTransactions(shard: Int, now: Timestamp, limit: Int) async throws -> [DueTransaction] {
        let owner = incarnation.withLock { $0 }
        let mine = data.owners(besides: owner)
        return data.withShard(shard) { rows in
            let due = rows.transactions.values
                .filter { $0.outcome == .undecided && $0.nextCheckAt <= now }
                .sorted { ($0.nextCheckAt, $0.seq) < ($1.nextCheckAt, $1.seq) }
            var found: [DueTransaction] = []
            for transaction in due where found.count < limit {
                guard let row = rows.messages[transaction.seq], mine.contains(row.owner) else { continue }
                rows.messages[transaction.seq]?.owner = owner
                found.append(
                    DueTransaction(
                        seq: transaction.seq, message: row.stored.message, connectionGroup: transaction.connectionGroup,
                        checks: transaction.checks, nextCheckAt: transaction.nextCheckAt))
            }
            return found
        }
    }

    package func reschedule(_ checks: [TransactionCheck], shard: Int) async throws {
        data.withShard(shard) { rows in
            for check in checks { rows.reschedule(check) }
        }
    }

    package func purge(
        shard: Int, decidedBefore: Timestamp, deadLettersBefore: Timestamp, limit: Int
    ) async throws -> Int {
        data.withShard(shard) { rows in
            rows.purge(decidedBefore: decidedBefore, deadLettersBefore: deadLettersBefore, limit: limit)
        }
    }

    package func saveBindings(_ bindings: [Binding], topics: [String]) async throws {
        data.saveBindings(bindings, topics: topics)
    }

    package func savedBindings(topics: [String]) async throws -> [Binding]? {
        data.savedBindings(topics: topics)
    }
}
