import KiteQ
import KiteQBroker
import KiteQCore
import LocalServers
import MariaDB
import Testing

extension WholeBrokerTests {
    /// A database that an administrator puts back to an earlier state, or deletes rows of, while brokers run.
    @Suite struct RestoreTests {}
}

extension WholeBrokerTests.RestoreTests {
    /// docs/restore.md says what comes again, and what is lost. Where no lease was renewed since, that of the dump is right still.
    @Test(arguments: [[0], [0, 1, 2, 3]], [true, false]) func shardsArePutBack(
        shards: [Int], afterRenewal: Bool
    ) async throws {
        let database = try await Database.migrated(shards: 4)
        let ledger = Ledger()
        try await HostedBroker.run(
            try database.configuration(lease: .seconds(3)), groups: ["s-member", "s-away"],
            // Its next life is at the same address.
            configure: { $0.bindPort = try LocalServers.freePort() }
        ) { broker in
            let discovery = try await broker.discovery()
            let producer = try producer(discovery)
            let member = try consumer("s-member", discovery) { ledger.got($0, "s-member") }
            try await running([producer, member]) {
                #expect(try await ledger.publish(0..<40, prefix: "old ", producer) == nil)
                try await eventually("s-member has them, and s-away is owed them") {
                    try await database.count("kite_delivery", where: "group_name = 's-away' AND owner = 0") == 40
                }
                var dumps: [DatabaseDump] = []
                var owed = 0
                // Under load.
                try await withThrowingTaskGroup(of: Void.self) { load in
                    load.addTask {
                        for number in 0..<20 { try await ledger.publishUntilTaken("load \(number)", producer) }
                    }
                    for shard in shards { dumps.append(try await DatabaseDump.of(database, shard: shard)) }
                    try await load.waitForAll()
                }
                for (shard, count) in try await database.rows(
                    "SELECT COUNT(*) FROM kite_message WHERE body LIKE 'old %'", { Int(try $0.int(0)) }
                ).enumerated() where shards.contains(shard) { owed += count }
                #expect(owed > 0)
                let away = try consumer("s-away", discovery) { ledger.got($0, "s-away") }
                try await running([away]) {
                    try await eventually("all is delivered") { ledger.missing("s-away").isEmpty }
                    try await database.isEmptied()
                    let lives = try await incarnation(database)
                    if afterRenewal {
                        let before = try await leases(database)
                        try await eventually("the leases are renewed") {
                            let now = try await leases(database)
                            return zip(before, now).allSatisfy { $0 < $1 }
                        }
                    }
                    for dump in dumps { try await dump.playBack() }
                    // What is acknowledged from here on reaches everybody.
                    for number in 0..<10 { try await ledger.publishUntilTaken("after \(number)", producer) }
                    if afterRenewal {
                        try await eventually("the broker joins anew") { try await incarnation(database) > lives }
                    }
                    for number in 10..<20 { try await ledger.publishUntilTaken("after \(number)", producer) }
                    try await eventually("the old ones come again") {
                        (0..<40).filter { ledger.times("old \($0)", "s-away") > 1 }.count == owed
                    }
                    try await eventually("what came after is delivered") {
                        (10..<20).allSatisfy {
                            ledger.times("after \($0)", "s-member") > 0 && ledger.times("after \($0)", "s-away") > 0
                        }
                    }
                    try await eventually("nothing is left") { ledger.missing("s-away").isEmpty }
                    try await database.isEmptied()
                    try await broker.untilReady()
                }
            }
        }
    }

    private func incarnation(_ database: Database) async throws -> Int64 {
        try await database.rows("SELECT COALESCE(MAX(number), 0) FROM kite_incarnation WHERE state = 0") {
            try $0.int(0)
        }.min() ?? 0
    }

    private func leases(_ database: Database) async throws -> [Int64] {
        try await database.rows("SELECT MAX(lease_until) FROM kite_incarnation WHERE state = 0") { try $0.int(0) }
    }

    /// A row of this broker's that it does not know of, as a restore brings it back that leaves the lease as it was, or a commit
    /// that a server showed late: nobody comes or goes, and yet it is delivered.
    @Test func aMessageThatOnlyTheStoreHasIsDelivered() async throws {
        let database = try await Database.migrated()
        let (ledger, gate) = (Ledger(), Gate())
        try await HostedBroker.run(
            try database.configuration(), groups: ["s-member"],
            configure: { $0.delivery.orphanInterval = 500_000_000 }
        ) { broker in
            let discovery = try await broker.discovery()
            let producer = try producer(discovery)
            let member = try consumer("s-member", discovery) { message in
                try await gate.pass()
                ledger.got(message, "s-member")
            }
            try await running([producer, member]) {
                try await ledger.publishUntilTaken("message", producer)
                let table = "\(database.name)_0.kite_message"
                try await database.execute("CREATE TABLE \(database.name)_0.kept AS SELECT * FROM \(table)")
                gate.open()
                try await eventually("it is delivered") { ledger.times("message", "s-member") == 1 }
                try await database.isEmptied()
                try await database.execute("INSERT INTO \(table) SELECT * FROM \(database.name)_0.kept")
                try await eventually("it is delivered again") { ledger.times("message", "s-member") == 2 }
                try await database.isEmptied()
            }
        }
    }

    /// A group that comes while the rows are gone has nothing to read; when they are back it reads again.
    @Test func routesAreDeleted() async throws {
        let database = try await Database.migrated(shards: 4)
        let ledger = Ledger()
        try await HostedBroker.run(try database.configuration(), groups: ["s-member"]) { broker in
            let discovery = try await broker.discovery()
            let producer = try producer(discovery)
            try await running([producer]) {
                try await ledger.publishUntilTaken("before", producer)
                for shard in 0..<4 { try await database.execute("DELETE FROM \(database.name)_\(shard).kite_route") }
                for number in 0..<10 { try await ledger.publishUntilTaken("after \(number)", producer) }
                let member = try consumer("s-member", discovery) { ledger.got($0, "s-member") }
                try await running([member]) {
                    try await eventually("10 of 10") { ledger.missing("s-member").isEmpty }
                    try await database.isEmptied()
                }
                #expect(ledger.repeated("s-member").isEmpty)
            }
        }
    }

    /// Whichever table it is, what is acknowledged afterwards arrives.
    @Test(arguments: [
        "kite_message", "kite_route", "kite_delivery", "kite_transaction", "kite_presence", "kite_incarnation",
        "kite_binding", "kite_group", "kite_dead_letter",
    ]) func aTableIsEmptied(table: String) async throws {
        let database = try await Database.migrated(shards: 2)
        let ledger = Ledger()
        try await HostedBroker.run(
            try database.configuration(lease: .seconds(3)), groups: ["s-member", "s-away"],
            // Its next life is at the same address.
            configure: { $0.bindPort = try LocalServers.freePort() }
        ) { broker in
            let discovery = try await broker.discovery()
            let producer = try producer(discovery)
            let member = try consumer("s-member", discovery) { ledger.got($0, "s-member") }
            try await running([producer, member]) {
                #expect(try await ledger.publish(0..<10, prefix: "before ", producer) == nil)
                try await eventually("they are delivered") { ledger.count("s-member") == 10 }
                let life = try await incarnation(database)
                for shard in 0..<2 { try await database.execute("TRUNCATE \(database.name)_\(shard).\(table)") }
                if table == "kite_incarnation" {
                    try await eventually("the broker joins anew") { try await incarnation(database) > life }
                }
                for number in 0..<10 { try await ledger.publishUntilTaken("after \(number)", producer) }
                let away = try consumer("s-away", discovery) { ledger.got($0, "s-away") }
                try await running([away]) {
                    for group in ["s-member", "s-away"] {
                        try await eventually("10 of 10 for \(group)") {
                            (0..<10).allSatisfy { ledger.times("after \($0)", group) > 0 }
                        }
                    }
                }
            }
        }
    }
}
