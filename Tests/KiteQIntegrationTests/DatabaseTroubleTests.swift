import Foundation
import KiteQ
import KiteQBroker
import KiteQCore
import LocalServers
import MariaDB
import TestSupport
import Testing

extension WholeBrokerTests.DatabaseOutageTests {
    /// InnoDB has one file here for all tables, which may not grow past 40 MiB.
    @Test func aDiskThatIsFull() async throws {
        let server = try LocalMariaDB(
            dataDirectory: try LocalServers.temporaryFolder("full"),
            options: [
                "--innodb-file-per-table=0", "--innodb-data-file-path=ibdata1:12M:autoextend:max:40M",
                // With the undo log in the same file a table could not even be dropped.
                "--innodb-undo-tablespaces=2",
            ])
        try await server.start()
        let database = try await Database.migrated(on: server)
        let table = "\(database.name)_0.ballast"
        try await database.execute(
            "CREATE TABLE \(table) (body LONGBLOB) ENGINE=InnoDB",
            "INSERT INTO \(table) SELECT REPEAT('x', 524288) FROM \(database.name)_0.seq_1_to_24", "COMMIT")
        try await HostedBroker.run(
            try database.configuration(), groups: ["s-member"], configure: { $0.publishWait = .milliseconds(500) }
        ) { broker in
            let ledger = Ledger()
            let producer = try producer(await broker.discovery())
            try await running([producer]) {
                var error: KiteQError?
                // 4 KiB each, which InnoDB keeps beside the key: larger ones have pages of their own, and MariaDB, which takes
                // the very last page for those, is then unable to roll back, and ends itself.
                for round in 0..<40 where error == nil {
                    error = try await ledger.publish(0..<250, prefix: "\(round) ", padding: 4_000, producer)
                }
                #expect(error?.code == .refused)
                #expect(error?.message.contains("full") == true, "\(String(describing: error))")
                #expect(try await database.count("kite_message") >= ledger.acknowledged.count)
                // What an administrator can give up.
                try await database.execute("DROP TABLE \(table)")
                try await ledger.publishUntilTaken("room", producer)
                let member = try consumer("s-member", await broker.discovery()) { ledger.got($0, "s-member") }
                try await running([member]) {
                    try await eventually("all is delivered") { ledger.missing("s-member").isEmpty }
                    try await database.isEmptied()
                }
                #expect(ledger.repeated("s-member").isEmpty)
            }
        }
        await server.stop()
    }

    @Test func aDatabaseThatFallsSilent() async throws {
        try await withProxy { database, proxy, port in
            try await HostedBroker.run(
                try database.configuration(ports: [port]), groups: ["s-member"],
                configure: {
                    $0.publishWait = .milliseconds(500)
                    $0.delivery.window = 4
                }
            ) { broker in
                let (ledger, gate) = (Ledger(), Gate())
                let producer = try producer(await broker.discovery())
                let member = try consumer("s-member", await broker.discovery(), concurrency: 1) { message in
                    try await gate.pass()
                    ledger.got(message, "s-member")
                }
                try await running([producer, member]) {
                    #expect(try await ledger.publish(0..<20, producer) == nil)
                    try await broker.untilHeld(20)
                    try await proxy.fallSilent()
                    let error = try await ledger.publish("maybe", producer)
                    // It was sent, or not even that where all connections were taken.
                    #expect(error?.code == .outcomeUnknown || error?.code == .refused, "\(String(describing: error))")
                    try await broker.untilReady("no shard of the store can be used: ")
                    gate.open()
                    try await eventually("what is in memory is delivered") { ledger.count("s-member") == 20 }
                    try await proxy.speak()
                    try await ledger.publishUntilTaken("again", producer)
                    try await broker.untilReady()
                    try await eventually("all is delivered") { ledger.missing("s-member").isEmpty }
                    try await database.isEmptied()
                    #expect(ledger.repeated("s-member").isEmpty)
                    if error?.code == .refused { #expect(ledger.times("maybe", "s-member") == 0) }
                }
            }
        }
    }

    @Test(arguments: [CuttingProxy.Cut.beforeItsReply, .beforeCommit])
    func aCommitWhoseReplyIsLost(cut: CuttingProxy.Cut) async throws {
        try await withProxy { database, proxy, port in
            try await HostedBroker.run(try database.configuration(ports: [port]), groups: ["s-member", "s-away"]) {
                broker in
                let ledger = Ledger()
                let producer = try producer(await broker.discovery())
                let member = try consumer("s-member", await broker.discovery()) { ledger.got($0, "s-member") }
                try await running([producer, member]) {
                    for round in 0..<5 {
                        proxy.arm(cut)
                        // The one that is cut is that of this insert, or of what became of the messages before.
                        let error = try await ledger.publish(0..<20, prefix: "\(round) ", producer)
                        #expect(error == nil, "what the store has is what it says")
                        try await eventually("a commit was cut") { proxy.cutCount > round }
                    }
                    try await eventually("all is delivered") { ledger.missing("s-member").isEmpty }
                    let away = try consumer("s-away", await broker.discovery()) { ledger.got($0, "s-away") }
                    try await running([away]) {
                        try await eventually("all is delivered") { ledger.missing("s-away").isEmpty }
                        try await database.isEmptied()
                    }
                    for group in ["s-member", "s-away"] {
                        #expect(ledger.count(group) == 100 && ledger.repeated(group).isEmpty)
                    }
                }
            }
        }
    }

    private func withProxy(_ body: (Database, CuttingProxy, Int) async throws -> Void) async throws {
        let database = try await Database.migrated()
        let proxy = CuttingProxy(server: database.server.port)
        let port = try await proxy.start()
        do {
            try await body(database, proxy, port)
        } catch {
            try await proxy.stop()
            throw error
        }
        try await proxy.stop()
    }

    /// A copy of the server takes over, at another address; the old one lives on and takes no writes.
    @Test func aDatabaseThatIsFailedOver() async throws {
        let options = ["--innodb-log-file-size=8M"]
        let folders = try (0..<2).map { _ in try LocalServers.temporaryFolder("failover") }
        let old = try LocalMariaDB(dataDirectory: folders[0], options: options)
        let new = try LocalMariaDB(dataDirectory: folders[1], options: options + ["--read-only=1"])
        try await old.start()
        let database = try await Database.migrated(on: old)
        // root is above read_only.
        try await database.execute(
            "CREATE USER \(database.name)", "GRANT ALL ON `\(database.name)\\_%`.* TO \(database.name)")
        let store = try database.configuration(ports: [old.port, new.port], user: database.name)
        try await HostedBroker.run(
            store, groups: ["s-member", "s-away"], configure: { $0.publishWait = .milliseconds(500) }
        ) { broker in
            let ledger = Ledger()
            let producer = try producer(await broker.discovery())
            let member = try consumer("s-member", await broker.discovery()) { ledger.got($0, "s-member") }
            try await running([producer, member]) {
                #expect(try await ledger.publish("before", producer) == nil)
                try await eventually("it is delivered") { ledger.times("before", "s-member") == 1 }
                try await eventually("that is written") { try await database.count("kite_delivery") == 1 }
                // The new one has all that the old one has, this broker's life too: a replica that was in step.
                await old.stop()
                try FileManager.default.copyItem(atPath: old.dataDirectory, toPath: new.dataDirectory)
                try await old.start()
                try await new.start()
                try await ledger.publishUntilTaken("old", producer)
                try await database.execute("SET GLOBAL read_only = 1")
                let error = try await ledger.publish("refused", producer)
                #expect(error?.message.contains("read-only") == true, "\(String(describing: error))")
                try await database.execute("SET GLOBAL read_only = 0", port: new.port)
                try await ledger.publishUntilTaken("new", producer)
                #expect(try await database.count("kite_message", where: "body = 'new'", port: new.port) == 1)
                #expect(try await database.count("kite_message", where: "body = 'new'") == 0)
                try await eventually("no connection to the old one is left") {
                    try await database.count(
                        "information_schema.processlist", where: "user = '\(database.name)'") == 0
                }
                try await eventually("it is delivered") { ledger.times("new", "s-member") == 1 }
                // The broker is the one it was, to the new server.
                #expect(try await database.count("kite_incarnation", where: "state = 0", port: new.port) == 1)
                #expect(try await database.count("kite_incarnation", port: new.port) == 1)
                #expect(ledger.repeated("s-member").isEmpty && ledger.times("refused", "s-member") == 0)
            }
        }
        for server in [old, new] { await server.stop() }
    }
}
