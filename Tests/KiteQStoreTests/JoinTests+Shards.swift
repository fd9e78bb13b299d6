import KiteQCore
import LocalServers
import MariaDB
import Testing

@testable import KiteQStore

/// With the shards that are there, and where nothing can be written.
extension JoinTests {
    @Test func aShardThatIsAwayIsJoinedWhenItComes() async throws {
        let server = try LocalMariaDB(dataDirectory: try LocalServers.temporaryFolder("mariadb"))
        try await server.start()
        var configuration = try await migrated(.mariaDB, shards: 2)
        configuration.shards[1].servers = [.tcp(host: "127.0.0.1", port: server.port)]
        _ = try await Migrator(configuration, logger: quiet).run()
        await server.stop()
        try await running(MySQLMessageStore(configuration, logger: quiet)) { store in
            let entry = try await store.join(as: Self.broker, takingOver: false)
            #expect(entry.missing.keys.sorted() == [1])
            #expect(entry.missing[1]?.message.hasPrefix("shard 1: ") == true)
            #expect(try await store.joinIfMissing(shard: 0) == nil)
            await #expect(throws: StoreError.self) { _ = try await store.joinIfMissing(shard: 1) }
            try await store.renewLease(shard: 0)
            try await server.start()
            let seq = SequenceGenerator.smallest(at: StoreClock.wall() + 60_000)
            try await root(configuration, shard: 1) { db in
                try db.simple(
                    "INSERT INTO kite_message VALUES (\(seq), UNHEX('00000000000000000000000000000001'), 1, 17, 1, 5, 9, 9, 9, 't', 'm', 'p', '', '', NULL)"
                )
            }
            var floor: Int64?
            try await eventually {
                do {
                    floor = try await store.joinIfMissing(shard: 1)
                    return true
                } catch let error as StoreError where error.code == .unavailable {
                    return false
                }
            }
            #expect(floor == seq)
            #expect(try await store.joinIfMissing(shard: 1) == nil)
            try await store.renewLease(shard: 1)
            #expect(try await numbers(configuration, shard: 1) == [entry.incarnation])
        }
        await server.stop()
    }

    @Test func aTagThatWasTakenMeanwhileEndsTheLife() async throws {
        let server = try LocalMariaDB(dataDirectory: try LocalServers.temporaryFolder("mariadb"))
        try await server.start()
        var configuration = try await migrated(.mariaDB, shards: 2)
        configuration.shards[1].servers = [.tcp(host: "127.0.0.1", port: server.port)]
        _ = try await Migrator(configuration, logger: quiet).run()
        await server.stop()
        try await running(MySQLMessageStore(configuration, logger: quiet)) { store in
            let entry = try await store.join(as: Self.broker, takingOver: false)
            try await server.start()
            try await root(configuration, shard: 1) { db in
                try db.simple(
                    "INSERT INTO kite_incarnation (number, name, address, state, lease_until, joined_at) VALUES (\(entry.incarnation - 4096), 'other', 'a', 0, 1, 1)"
                )
            }
            var code: StoreError.Code?
            try await eventually {
                do {
                    _ = try await store.joinIfMissing(shard: 1)
                    return true
                } catch let error as StoreError where error.code != .unavailable {
                    code = error.code
                    return true
                } catch is StoreError {
                    return false
                }
            }
            #expect(code == .fenced)
            let again = try await store.join(as: Self.broker, takingOver: false)
            #expect(again.missing.isEmpty && again.incarnation > entry.incarnation)
        }
        await server.stop()
    }

    @Test func aShardOfAnotherMapIsNoOutage() async throws {
        let configuration = try await migrated(.mariaDB, shards: 2)
        try await root(configuration, shard: 1) { try $0.simple("UPDATE kite_slot SET shard = 0") }
        let error = await #expect(throws: StoreError.self) {
            try await running(MySQLMessageStore(configuration, logger: quiet)) { store in
                _ = try await store.join(as: Self.broker, takingOver: false)
            }
        }
        #expect(error?.code == .notMigrated)
    }

    // MARK: Writing

    @Test(arguments: StoreUnderTest.available) func aProbeLeavesNothing(kind: StoreUnderTest) async throws {
        try await kind.withStore { store, _ async throws in
            for _ in 0..<3 { try await store.probe(shard: 0) }
            #expect(try await store.expiredFresh(shard: 0, after: nil, now: .max, limit: 9).expired.isEmpty)
            #expect(try await store.dueTransactions(shard: 0, after: nil, now: .max, limit: 9).isEmpty)
        }
    }

    @Test(arguments: StoreUnderTest.servers) func aProbeFindsAServerThatIsLocked(kind: StoreUnderTest) async throws {
        let configuration = try await migrated(kind)
        try await running(MySQLMessageStore(configuration, logger: quiet)) { store in
            _ = try await store.join(as: Self.broker, takingOver: false)
            try await store.probe(shard: 0)
            let (locked, release) = (Signal<Bool>(), Signal<Bool>())
            let holder = Task {
                try await root(configuration) { db in
                    try db.simple("LOCK TABLES kite_message READ")
                    locked.send(true)
                    while !release.isSent { try db.simple("DO SLEEP(0.02)") }
                    try db.simple("UNLOCK TABLES")
                }
            }
            try await eventually { locked.isSent }
            let error = await #expect(throws: StoreError.self) { try await store.probe(shard: 0) }
            #expect(error?.isTemporary == true, "\(String(describing: error))")
            release.send(true)
            try await holder.value
            try await store.probe(shard: 0)
        }
    }

    /// A privileged user could write to it, and whoever reads the other server would never see it.
    @Test(arguments: [StoreUnderTest.mariaDB]) func aDemotedServerTakesNothingFromAUserAboveReadOnly(
        kind: StoreUnderTest
    ) async throws {
        let server = try LocalMariaDB(dataDirectory: try LocalServers.temporaryFolder("mariadb"))
        try await server.start()
        var configuration = try MySQLStoreURL.configuration("mysql://root@127.0.0.1:\(server.port)/kite?shards=1")
        configuration.waitTimeout = .seconds(1)
        _ = try await Migrator(configuration, logger: quiet).run()
        let demoted = configuration
        try await running(MySQLMessageStore(configuration, logger: quiet)) { store in
            _ = try await store.join(as: Self.broker, takingOver: false)
            var messages = Messages()
            _ = try await store.insert([messages.insertion(["a"])], shard: 0)
            try await root(demoted) { try $0.simple("SET GLOBAL read_only = 1") }
            let renewal = await #expect(throws: StoreError.self) { try await store.renewLease(shard: 0) }
            #expect(renewal?.code == .refusesWrites)
            let refused = messages.insertion(["a"])
            let insert = await #expect(throws: StoreError.self) { _ = try await store.insert([refused], shard: 0) }
            #expect(insert?.code == .refusesWrites, "\(String(describing: insert))")
            try await root(demoted) { try $0.simple("SET GLOBAL read_only = 0") }
            try await eventually {
                do {
                    try await store.renewLease(shard: 0)
                    return try await store.insert([refused], shard: 0) == [.stored]
                } catch let error as StoreError where error.code == .refusesWrites {
                    return false
                }
            }
        }
        await server.stop()
    }

    @Test(arguments: StoreUnderTest.servers) func whoIsNotLetInIsToldSoInOneSentence(kind: StoreUnderTest) async throws
    {
        var configuration = try await migrated(kind, shards: 3)
        for shard in configuration.shards.indices { configuration.shards[shard].password = "wrong" }
        try await running(MySQLMessageStore(configuration, logger: quiet)) { store in
            let error = await #expect(throws: StoreError.self) {
                _ = try await store.join(as: Self.broker, takingOver: false)
            }
            #expect(error?.code == .refused && error?.isTemporary == false)
            #expect(error?.message.contains("Access denied") == true)
            #expect(
                error?.message.hasSuffix("; nor can the other 2 shards be used") == true, "\(String(describing: error))"
            )
        }
    }

    /// The join is committed, and the read after it fails: the next try reads again.
    @Test(arguments: StoreUnderTest.servers) func aShardIsNotJoinedBeforeItsFloorIsKnown(kind: StoreUnderTest)
        async throws
    {
        let configuration = try await migrated(kind, shards: 2)
        let ahead = SequenceGenerator.smallest(at: StoreClock.wall() + 3_600_000)
        let store = MySQLMessageStore(configuration, logger: quiet)
        try await running(store) { _ in
            let number = try await store.join(as: Self.broker, takingOver: false).incarnation
            // As if it had been away.
            try await store.shards[1].takeBack(number)
            try await root(configuration, shard: 1) { db in
                try db.simple(
                    "INSERT INTO kite_message VALUES (\(ahead), UNHEX('00000000000000000000000000000001'), 1, 17, 1, 5, 9, 9, 9, 't', 'm', 'p', '', '', NULL)"
                )
                try db.simple("RENAME TABLE kite_dead_letter TO away")
            }
            await #expect(throws: StoreError.self) { try await store.joinIfMissing(shard: 1) }
            #expect(try await numbers(configuration, shard: 1) == [number])
            try await root(configuration, shard: 1) { try $0.simple("RENAME TABLE away TO kite_dead_letter") }
            #expect(try await store.joinIfMissing(shard: 1) == ahead)
            #expect(try await store.joinIfMissing(shard: 1) == nil)
            try await store.renewLease(shard: 1)
        }
    }

    /// The row names the connection that renews it: for a moment it may be the only one.
    @Test(arguments: StoreUnderTest.servers) func theConnectionOfTheLeaseCounts(kind: StoreUnderTest) async throws {
        let configuration = try await migrated(kind)
        let store = MySQLMessageStore(configuration, logger: quiet)
        try await running(store) { _ in
            let number = try await store.join(as: Self.broker, takingOver: false).incarnation
            try await store.renewLease(shard: 0)
            let sight = try await store.shards[0].lives(of: Self.broker.name)
            let ids = try #require(sight.lives.first?.connections)
            let own = try #require(store.shards[0].leasePool.threadIDs.first)
            #expect(ids.isWhole && ids.numbers.contains(own))
            // Whatever becomes of the others.
            for thread in ids.numbers where thread != own {
                _ = try await root(configuration) { try $0.kill([thread]) }
            }
            let other = MySQLMessageStore(configuration, logger: quiet)
            try await running(other) { _ in
                let sight = try await other.shards[0].lives(of: Self.broker.name)
                #expect(sight.lives.map(\.number) == [number] && sight.gone.isEmpty)
            }
        }
    }
}
