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
    private let clock = Mutex<ServerClock?>(nil)

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
            data.leave(number)
        }
    }

    package func join(as broker: BrokerIdentity, takingOver: Bool) async throws -> StoreEntry {
        let number = try data.join(broker, after: number, takingOver: takingOver)
        incarnation.withLock { $0 = number }
        return StoreEntry(incarnation: number)
    }

    package func joinIfMissing(shard: Int) async throws -> Int64? { nil }

    package func probe(shard: Int) async throws {}

    package func insert(
        _ batch: [Insertion], shard: Int, deadline: ContinuousClock.Instant
    ) async throws -> [Insertion.Outcome] {
        let owner = incarnation.withLock { $0 }
        return data.withShard(shard) { rows in batch.map { rows.insert($0, owner: owner) } }
    }

    package func decide(
        _ batch: [TransactionDecision], shard: Int,
        route: @escaping @Sendable (_ topic: String, _ messageType: String) -> Route?
    ) async throws -> [TransactionDecision.Outcome] {
        let owner = incarnation.withLock { $0 }
        return data.withShard(shard) { rows in rows.decide(batch, owner: owner, route: route) }
    }

    package func settle(_ batch: [Settlement], shard: Int) async throws -> [Int64] {
        let owner = incarnation.withLock { $0 }
        return data.withShard(shard) { rows in
            batch.compactMap { rows.settle($0, owner: owner) ? nil : $0.seq }
        }
    }

    /// This broker's incarnation.
    private var number: Int64 { incarnation.withLock { $0 } }

    // MARK: Ownership

    package let lease: Duration = .seconds(10)

    /// Nobody's lease runs out here: a broker that is gone says so, or another one joins under its name.
    @discardableResult
    package func renewLease(shard: Int) async throws -> ServerClock {
        guard data.living.contains(number) else {
            throw StoreError(.fenced, "incarnation \(number) was declared dead")
        }
        let now = StoreClock.monotonic()
        let reading = ServerClock.Reading(server: data.now, sentAt: now, receivedAt: now, wall: StoreClock.wall())
        return clock.withLock { clock in
            var measured = clock ?? ServerClock(reading)
            if clock != nil { measured.measure(reading) }
            clock = measured
            return measured
        }
    }

    /// From now on the store's clock is so far ahead of the machine's, as a database server's may be; milliseconds.
    package func setClock(ahead lead: Timestamp) { data.setClock(ahead: lead) }

    package func setPresence(_ groups: Set<String>, shard: Int) async throws {
        data.setPresence(groups, of: number)
    }

    package func watchLeases(shard: Int) async throws -> [String] {
        _ = try await renewLease(shard: shard)
        return []
    }

    package func releaseDead(shard: Int, limit: Int) async throws -> Int {
        let living = data.living
        return data.withShard(shard) { $0.release(living: living, now: data.now) }
    }

    package func survey(shard: Int, now: Timestamp, latest: Timestamp) async throws -> ShardSurvey {
        let (here, elsewhere) = data.presence(of: number)
        let living = data.living
        return data.withShard(shard) { rows in
            var survey = ShardSurvey(elsewhere: elsewhere)
            survey.due = here.filter { !rows.deliveries(of: $0, in: .due(now: now, latest: latest), limit: 1).isEmpty }
            for group in here {
                survey.waiting[group] = rows.deliveries(of: group, in: .waiting(after: 0), limit: 1).first
            }
            for (seq, row) in rows.messages where row.stored.state == .fresh && !living.contains(row.owner) {
                for member in row.stored.route.members {
                    survey.abandoned[member.group] = min(survey.abandoned[member.group] ?? .max, seq)
                }
            }
            return survey
        }
    }

    package func resolveUncertain(shard: Int) async throws -> Int64? { nil }

    // MARK: Recovery

    package func freshBacklog(
        of group: String, shard: Int, after: Int64, limit: Int, includingDead: Bool
    ) async throws -> [FreshMessage] {
        let (owner, living) = (number, data.living)
        return data.withShard(shard) { rows in
            let found = rows.messages.values.filter { row in
                row.stored.state == .fresh && row.stored.seq > after
                    && (row.owner == owner || (includingDead && !living.contains(row.owner)))
                    && row.stored.route.members.contains { $0.group == group }
            }
            return found.map { FreshMessage(seq: $0.stored.seq, route: $0.stored.route) }
                .sorted { $0.seq < $1.seq }.prefix(limit).map { $0 }
        }
    }

    package func deliveries(
        of group: String, shard: Int, in range: DeliveryRange, limit: Int
    ) async throws -> [Int64] {
        data.withShard(shard) { $0.deliveries(of: group, in: range, limit: limit) }
    }

    package func load(
        _ seqs: [Int64], for group: String, shard: Int, maxBytes: Int
    ) async throws -> (messages: [StoredMessage], count: Int) {
        let (owner, living) = (number, data.living)
        return data.withShard(shard) { rows in
            var (bytes, count) = (0, 0)
            for seq in seqs {
                let size = rows.messages[seq]?.stored.message.footprint ?? 0
                if bytes > 0 && bytes + size > maxBytes { break }
                bytes += size
                count += 1
            }
            let some = Set(seqs.prefix(count)).sorted()
            return (some.compactMap { rows.load($0, for: group, by: owner, living: living) }, count)
        }
    }

    package func ownFresh(
        of groups: Set<BindingName>, shard: Int, after place: FreshPlace?, limit: Int
    ) async throws -> (messages: [FreshMessage], next: FreshPlace?) {
        let owner = number
        return data.withShard(shard) { rows in
            let found = rows.messages.values.filter { row in
                row.stored.state == .fresh && row.owner == owner
                    && row.stored.route.members.contains { groups.contains(BindingName($0.group)) }
            }.map { FreshMessage(seq: $0.stored.seq, route: $0.stored.route) }
            let page = found.sorted { ($0.route.id, $0.seq) < ($1.route.id, $1.seq) }.drop { message in
                place.map { (message.route.id, message.seq) <= ($0.route, $0.seq) } ?? false
            }.prefix(limit)
            let next = page.count < limit ? nil : page.last.map { FreshPlace(route: $0.route.id, seq: $0.seq) }
            return (Array(page), next)
        }
    }

    package func heldDeliveries(shard: Int, after: Int64, limit: Int) async throws -> [HeldDelivery] {
        let owner = number
        return data.withShard(shard) { rows in
            let held = rows.messages.filter { $0.key > after }.sorted { $0.key < $1.key }.flatMap { seq, row in
                row.stored.deliveries.filter { row.deliveryOwners[$0.group] == owner }.map {
                    HeldDelivery(seq: seq, group: $0.group, attempts: $0.attempts)
                }
            }
            return Array(held.prefix(limit))
        }
    }

    package func expiredFresh(
        shard: Int, after cursor: SweepCursor?, now: Timestamp, limit: Int
    ) async throws -> (expired: [ExpiredMessage], next: SweepCursor?) {
        let (owner, living) = (number, data.living)
        return data.withShard(shard) { rows in
            var expired: [ExpiredMessage] = []
            for (seq, row) in rows.messages
            where row.stored.state == .fresh && row.stored.message.expiresAt <= now
                && (row.owner == owner || !living.contains(row.owner))
            {
                rows.messages[seq]?.owner = owner
                expired.append(
                    ExpiredMessage(
                        seq: seq, route: row.stored.route, id: row.stored.message.id, topic: row.stored.message.topic))
            }
            return (expired, nil)
        }
    }

    package func buryExpiredDeliveries(
        shard: Int, after seq: Int64, now: Timestamp, limit: Int
    ) async throws -> (buried: [ExpiredDelivery], next: Int64?) {
        data.withShard(shard) { ($0.buryExpired(now: now), nil) }
    }

    /// Its own settlements leave none.
    package func removeUnowed(shard: Int, after seq: Int64, limit: Int) async throws -> (removed: Int, next: Int64?) {
        (0, nil)
    }

    package func dueTransactions(
        shard: Int, after place: DueTransaction.Place?, now: Timestamp, latest: Timestamp, limit: Int
    ) async throws -> [DueTransaction] {
        data.withShard(shard) { rows in
            rows.transactions.values
                .filter { $0.outcome == .undecided && ($0.nextCheckAt <= now || $0.nextCheckAt > latest) }
                .filter { row in place.map { (row.nextCheckAt, row.seq) > ($0.nextCheckAt, $0.seq) } ?? true }
                .sorted { ($0.nextCheckAt, $0.seq) < ($1.nextCheckAt, $1.seq) }
                .prefix(limit)
                .compactMap { transaction in
                    rows.messages[transaction.seq].map {
                        DueTransaction(
                            seq: transaction.seq, message: $0.stored.message,
                            connectionGroup: transaction.connectionGroup, checks: transaction.checks,
                            nextCheckAt: transaction.nextCheckAt)
                    }
                }
        }
    }

    package func reschedule(_ checks: [TransactionCheck], shard: Int) async throws -> Set<Int64> {
        data.withShard(shard) { rows in Set(checks.filter { rows.reschedule($0) }.map(\.seq)) }
    }

    package func purge(
        shard: Int, decidedBefore: Timestamp, deadLettersBefore: Timestamp, limit: Int
    ) async throws -> Int {
        let gone = data.withShard(shard) { rows in
            rows.purge(decidedBefore: decidedBefore, deadLettersBefore: deadLettersBefore, limit: limit)
        }
        return shard == 0 ? gone + data.withOperators { $0.purge(now: data.now, limit: limit) } : gone
    }

    package func saveBindings(_ bindings: [Binding], topics: [String]) async throws {
        data.saveBindings(bindings, topics: topics)
    }

    package func savedBindings(topics: [String]) async throws -> [Binding]? {
        data.savedBindings(topics: topics)
    }
}
