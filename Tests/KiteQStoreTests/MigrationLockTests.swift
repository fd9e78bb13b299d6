import KiteQCore
import LocalServers
import Logging
import MariaDB
import Testing

@testable import KiteQStore

/// Several migrate at once, at one server or at several nodes of a cluster.
@Suite(.serialized, .timeLimit(.minutes(4))) struct MigrationLockTests {
    private static let all = Migration.all.map(\.name)
    private static let times = MigrationLock.Times(
        lease: .seconds(3), renewal: .milliseconds(500), look: .milliseconds(50), patience: .seconds(60))

    // MARK: The rule

    /// What somebody is told who looks at a row again and again; times of the server in milliseconds, one's own in seconds.
    private func answers(
        _ looks: [(leaseUntil: Timestamp, server: Timestamp, now: MonotonicTime)], owner: String = "a"
    ) -> [Bool] {
        var watch = MigrationWatch(.init())
        return looks.map { look in
            watch.isFree(
                .init(owner: owner, leaseUntil: look.leaseUntil), server: look.server, now: look.now * 1_000_000_000)
        }
    }

    @Test func aFreeRowIsFree() { #expect(answers([(0, 1_000, 0)], owner: "") == [true]) }

    @Test func oneThatIsRenewedIsNotFree() {
        let looks = (0..<100 as Range<Int64>).map { (30_000 + $0 * 5_000, $0 * 5_000, $0 * 5) }
        #expect(!answers(looks).contains(true))
    }

    /// Its lease is over, and the row holds still for two renewals.
    @Test func oneThatDiedIsFreeWhenItsLeaseIsOver() {
        #expect(answers([(30_000, 20_000, 0), (30_000, 29_999, 10), (30_000, 30_000, 10)]) == [false, false, true])
        #expect(answers([(30_000, 90_000, 0), (30_000, 99_000, 9), (30_000, 100_000, 10)]) == [false, false, true])
    }

    /// This server's clock is ahead of the owner's: what looks over is being renewed.
    @Test func aClockThatIsAheadTakesNothing() {
        let looks = (0..<100 as Range<Int64>).map { (30_000 + $0 * 5_000, 900_000 + $0 * 5_000, $0 * 5) }
        #expect(!answers(looks).contains(true))
    }

    /// This server's clock is far behind: the lease would not be over for an hour.
    @Test func aClockThatIsBehindWaitsForALease() {
        #expect(
            answers([(3_600_000, 0, 0), (3_600_000, 29_000, 29), (3_600_000, 30_000, 30)]) == [false, false, true])
    }

    // MARK: On servers

    @Test(arguments: StoreUnderTest.servers) func whoDiedIsNotWaitedForForEver(kind: StoreUnderTest) async throws {
        let configuration = try await kind.configuration()
        let database = try #require(configuration.shards[0].database)
        try await ClusterUnderTest.onServer(try await kind.port) { root in
            try await root.run("CREATE DATABASE `\(database)`")
            try await root.run(
                MigrationLock.table.replacing("kite_migration_lock", with: "`\(database)`.kite_migration_lock"))
            try await root.run(
                "INSERT INTO `\(database)`.kite_migration_lock VALUES (1, 'ghost', UNIX_TIMESTAMP() * 1000 + 1500)")
            let log = LogLines()
            let reports = try await Migrator(configuration, times: Self.times, logger: log.logger).run()
            #expect(reports.map(\.applied) == [Self.all])
            #expect(log.lines.contains { $0.contains("is being migrated by ghost") }, "\(log.lines)")
            #expect(try await root.value("SELECT owner FROM `\(database)`.kite_migration_lock") == "", "released")
        }
    }

    @Test(arguments: StoreUnderTest.servers) func whoWorksIsWaitedFor(kind: StoreUnderTest) async throws {
        let configuration = try await kind.configuration()
        let database = try #require(configuration.shards[0].database)
        // One that takes longer than a lease, and renews it meanwhile.
        let slow = Migration(version: 1, name: Self.all[0], sql: "DO SLEEP(4);\n" + Migration.all[0].sql)
        let log = LogLines()
        async let first = Migrator(
            configuration, migrations: [slow] + Migration.all.dropFirst(), times: Self.times, logger: quiet
        ).run()
        try await ClusterUnderTest.onServer(try await kind.port) { root in
            try await eventually {
                do {
                    return try await root.value("SELECT owner FROM `\(database)`.kite_migration_lock") ?? "" != ""
                } catch let error as MariaDBError where [1146, 1049].contains(error.code) {
                    return false  // Not made yet.
                }
            }
        }
        let second = try await Migrator(
            configuration, migrations: [slow] + Migration.all.dropFirst(), times: Self.times, logger: log.logger
        ).run()
        #expect(try await first.map(\.applied) == [Self.all])
        #expect(second.map(\.applied) == [[]], "it finds nothing left to do")
        #expect(log.lines.count { $0.contains("is being migrated by") } == 1, "\(log.lines)")
    }

    @Test(arguments: StoreUnderTest.servers) func nobodyIsWaitedForWithoutEnd(kind: StoreUnderTest) async throws {
        let configuration = try await kind.configuration()
        let database = try #require(configuration.shards[0].database)
        var times = Self.times
        (times.lease, times.patience) = (.seconds(3_600), .milliseconds(300))
        let impatient = Migrator(configuration, times: times, logger: quiet)
        _ = try await Migrator(configuration, logger: quiet).run()
        try await ClusterUnderTest.onServer(try await kind.port) { root in
            try await root.run(
                "UPDATE `\(database)`.kite_migration_lock SET owner = 'somebody', lease_until = UNIX_TIMESTAMP() * 1000 + 99000"
            )
            let error = await #expect(throws: StoreError.self) { _ = try await impatient.run() }
            #expect(error?.message.contains("somebody has been migrating \(database) for longer than") == true)
            #expect(try await root.value("SELECT owner FROM `\(database)`.kite_migration_lock") == "somebody")
        }
    }

    @Test(arguments: StoreUnderTest.servers) func fewSlotsThatADeadOneLeftAreCompleted(kind: StoreUnderTest)
        async throws
    {
        let configuration = try await kind.configuration()
        let database = try #require(configuration.shards[0].database)
        _ = try await Migrator(configuration, logger: quiet).run()
        try await ClusterUnderTest.onServer(try await kind.port) { root in
            try await root.run("DELETE FROM `\(database)`.kite_slot WHERE slot > 20")
            try await running(MySQLMessageStore(configuration, logger: quiet)) { store async throws in
                let error = await #expect(throws: StoreError.self) {
                    _ = try await store.join(as: BrokerIdentity(name: "b", address: "b:1"))
                }
                #expect(error?.code == .notMigrated)
            }
            #expect(try await Migrator(configuration, logger: quiet).run().map(\.applied) == [[]])
            #expect(try await root.value("SELECT COUNT(*) FROM `\(database)`.kite_slot") == "256")
        }
    }

    // MARK: On Galera

    @Test(.enabled(if: ClusterUnderTest.hasGalera), .timeLimit(.minutes(4)))
    func threeNodesAtOnceAndFewRowsInATransaction() async throws {
        try await ClusterUnderTest.withGalera(nodes: 3, options: ["--wsrep-max-ws-rows=40"]) { ports in
            for round in 0..<5 {
                let reports = try await withThrowingTaskGroup(of: [Migrator.Report].self) { tasks in
                    for port in ports {
                        let configuration = try MySQLStoreURL.configuration(
                            "mysql://root@127.0.0.1:\(port)/kite\(round)?shards=2")
                        tasks.addTask { try await Migrator(configuration, times: Self.times, logger: quiet).run() }
                    }
                    return try await tasks.reduce(into: []) { $0 += $1 }
                }
                for shard in 0..<2 {
                    let database = "kite\(round)_\(shard)"
                    #expect(reports.filter { $0.database == database }.flatMap(\.applied) == Self.all)
                    for port in ports {
                        try await ClusterUnderTest.onServer(port) { root in
                            try await eventually {
                                try await root.value("SELECT COUNT(*) FROM `\(database)`.kite_slot") == "256"
                            }
                        }
                    }
                }
            }
        }
    }

    /// An upgrade whose own statements change more rows at once than the cluster takes.
    @Test(.enabled(if: ClusterUnderTest.hasGalera)) func anUpgradeFitsFewRowsAndBytes() async throws {
        let options = ["--wsrep-max-ws-rows=40", "--wsrep-max-ws-size=4096"]
        try await ClusterUnderTest.withGalera(nodes: 1, options: options) { ports in
            let configuration = try MySQLStoreURL.configuration("mysql://root@127.0.0.1:\(ports[0])/kite?shards=1")
            _ = try await Migrator(configuration, migrations: Array(Migration.all.prefix(3)), logger: quiet).run()
            try await ClusterUnderTest.onServer(ports[0]) { root in
                for piece in 0..<10 {
                    let numbers = (0..<20).map { 7 + (piece * 20 + $0) * 4_096 }
                    let lives = numbers.map { "(\($0), 'b', 'a', 1, 0, 0)" }.joined(separator: ",")
                    try await root.run(
                        "INSERT INTO kite_0.kite_incarnation (number, name, address, state, lease_until, joined_at) VALUES \(lives)"
                    )
                    let presence = numbers.map { "('g', \($0), 0)" }.joined(separator: ",")
                    try await root.run("INSERT INTO kite_0.kite_presence VALUES \(presence)")
                }
                await #expect(throws: MariaDBError.self, "the limit is one") {
                    try await root.run("DELETE FROM kite_0.kite_presence")
                }
                let reports = try await Migrator(configuration, logger: quiet).run()
                #expect(reports.map(\.applied) == [Array(Self.all.dropFirst(3))])
                // The last of one tag stays.
                #expect(try await root.value("SELECT COUNT(*) FROM kite_0.kite_incarnation") == "1")
                #expect(try await root.value("SELECT COUNT(*) FROM kite_0.kite_presence") == "1")
            }
        }
    }

    /// As the mysql client does it, and once more.
    @Test(.enabled(if: ClusterUnderTest.hasGalera)) func theScriptFitsFewRows() async throws {
        try await ClusterUnderTest.withGalera(nodes: 1, options: ["--wsrep-max-ws-rows=40"]) { ports in
            var configuration = try MySQLStoreURL.configuration("mysql://root@127.0.0.1:\(ports[0])/kite?shards=2")
            for shard in 0..<2 { configuration.shards[shard].user = "kite" }
            let script = Migrator(configuration, logger: quiet).script()
            let statements = Migration(version: 0, name: "script", sql: script).statements
            var server = try MySQLStoreURL.configuration("mysql://root@127.0.0.1:\(ports[0])/x").shards[0]
            server.database = nil
            try await running(MariaDBPool(server, logger: quiet)) { pool in
                try await pool.withConnection { connection in
                    try connection.simple("CREATE USER kite@'%' IDENTIFIED BY 'secret'")
                    for statement in statements + statements { try connection.simple(statement) }
                }
            }
            for shard in 0..<2 { configuration.shards[shard].user = "root" }
            #expect(try await Migrator(configuration, logger: quiet).run().map(\.applied) == [[], []])
        }
    }
}
