import KiteQCore
import KiteQStore
import MariaDB
import TestSupport
import Testing

/// Another session has locked messages whose settlements are to be written.
@Suite(.timeLimit(.minutes(3))) struct SettleLockTests {
    /// More of them than the refusals that end a batch.
    @Test(arguments: StoreUnderTest.servers) func lockedMessagesDelayThemselvesAlone(kind: StoreUnderTest) async throws
    {
        let configuration = try await kind.configuration()
        _ = try await Migrator(configuration, logger: quiet).run()
        try await running(MariaDBPool(configuration.shards[0], logger: quiet)) { other in
            try await running(MySQLMessageStore(configuration, logger: quiet)) { store async throws in
                _ = try await store.join(as: BrokerIdentity(name: "broker", address: "b:1"))
                var messages = Messages()
                let stored = (0..<120).map { _ in messages.insertion(["a"]) }
                #expect(try await store.insert(stored, shard: 0).allSatisfy { $0 == .stored })
                let seqs = stored.map(\.seq)
                let locked = Array(seqs.enumerated().filter { $0.offset % 5 == 0 }.map(\.element))
                // Every other one is removed, the rest stay for a later attempt; one is gone already.
                let batch = seqs.enumerated().map { index, seq in
                    Settlement(seq: seq, pending: index % 2 == 0 ? [] : [.init(group: "a", attempts: 1, dueAt: 9)])
                }
                let list = locked.map { "\($0)" }.joined(separator: ",")
                let rows = "SELECT seq FROM kite_message FORCE INDEX (PRIMARY) WHERE seq IN (\(list)) FOR UPDATE"
                try await other.whileOpen(rows) {
                    do {
                        _ = try await store.settle(batch + [Settlement(seq: seqs[119] + 1_000)], shard: 0)
                        Issue.record("they are locked")
                    } catch let error as PartlySettled {
                        #expect(error.stuck.sorted() == locked.sorted())
                        #expect(Set(error.done) == Set(seqs).subtracting(locked).union([seqs[119] + 1_000]))
                        #expect(error.lost.isEmpty && error.begun.isEmpty)
                    }
                }
                let isLocked = Set(locked)
                #expect(try await store.settle(batch.filter { isLocked.contains($0.seq) }, shard: 0).isEmpty)
                #expect(try await store.fresh(of: "a", after: 0, limit: 1_000).isEmpty)
            }
        }
    }
}
