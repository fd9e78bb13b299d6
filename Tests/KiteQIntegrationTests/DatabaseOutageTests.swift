import KiteQ
import KiteQBroker
import KiteQCore
import LocalServers
import MariaDB
import Testing

extension WholeBrokerTests {
    /// The database is away, refuses, or says nothing: what is refused meanwhile, what goes on, and that all is well afterwards
    /// without anybody doing anything to the broker.
    @Suite struct DatabaseOutageTests {}
}

extension WholeBrokerTests.DatabaseOutageTests {
    @Test func aBrokerWaitsForADatabaseThatIsAwayAtItsStart() async throws {
        let database = try await Database.migrated()
        let broker = try ServedBroker(store: database.url(), bindings: ["s-member": "paid"])
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            try await database.server.whileKilled {
                tasks.addTask { try await broker.start() }
                try await eventually("it says what it waits for") {
                    try await broker.readiness()?.contains("the broker waits for the store: shard 0: ") == true
                }
                // Nobody can connect: nothing is accepted.
                var configuration = KiteQConfiguration.patient("p-pay", broker.discovery)
                configuration.publishTimeout = .milliseconds(500)
                let producer = try Producer(configuration, topics: ["trade"], logger: quiet)
                let error = try await running([producer]) { try await Ledger().publish("early", producer) }
                #expect(error?.code == .notConnected, "\(String(describing: error))")
            }
            try await tasks.waitForAll()
        }
        try await eventually("it is ready") { try await broker.readiness() == "ready\n" }
        try await expectToWork(broker.discovery)
        #expect(await broker.stop() == nil)
    }

    @Test func aDatabaseThatIsKilledAndComesBack() async throws {
        let database = try await Database.migrated()
        let store = try database.configuration()
        try await HostedBroker.run(
            store, groups: ["s-member"], name: "hasty",
            configure: {
                $0.publishWait = .milliseconds(500)
                // What is sent is not all that is in memory.
                $0.delivery.window = 4
            }
        ) { hasty in
            try await HostedBroker.run(
                store, groups: ["s-member"], name: "patient", configure: { $0.publishWait = .seconds(120) }
            ) { patient in
                let (ledger, gate) = (Ledger(), Gate())
                let atHasty = try producer(await hasty.discovery())
                let atPatient = try producer(await patient.discovery())
                let member = try consumer("s-member", await hasty.discovery(), concurrency: 1) { message in
                    try await gate.pass()
                    ledger.got(message, "s-member")
                }
                try await running([atHasty, atPatient, member]) {
                    #expect(try await ledger.publish(0..<40, atHasty) == nil)
                    try await hasty.untilHeld(40)
                    let waiting = try await database.server.whileKilled {
                        try await hasty.untilReady("no shard of the store can be used: ")
                        gate.open()
                        try await eventually("what is in memory is delivered") { ledger.count("s-member") == 40 }
                        let error = try await ledger.publish("too early", atHasty)
                        #expect(error?.code == .refused)
                        #expect(
                            error?.message.contains("cannot connect to 127.0.0.1") == true,
                            "\(String(describing: error))")
                        let waiting = Task { try await ledger.publish("in time", atPatient) }
                        try await patient.until("the publish waits") { $0.publishQueue.items == 1 }
                        return waiting
                    }
                    #expect(try await waiting.value == nil, "it waited until the store was back")
                    for broker in [hasty, patient] { try await broker.untilReady() }
                    #expect(try await ledger.publish(40..<60, atHasty) == nil)
                    #expect(try await ledger.publish(60..<80, atPatient) == nil)
                    try await eventually("all is delivered") { ledger.missing("s-member").isEmpty }
                    try await database.isEmptied()
                    #expect(ledger.repeated("s-member").isEmpty && ledger.times("too early", "s-member") <= 1)
                    #expect(try await database.count("kite_dead_letter") == 0)
                }
            }
        }
    }

    @Test func anOutageLongerThanTheLeaseFencesNobody() async throws {
        let database = try await Database.migrated()
        let lease = Duration.seconds(3)
        let store = try database.configuration(lease: lease)
        try await HostedBroker.run(store, groups: ["s-member"], name: "one") { one in
            try await HostedBroker.run(store, groups: ["s-member"], name: "two") { two in
                let ledger = Ledger()
                let producers = [try producer(await one.discovery()), try producer(await two.discovery())]
                let members = try [await one.discovery(), await two.discovery()].map { discovery in
                    try consumer("s-member", discovery) { ledger.got($0, "s-member") }
                }
                try await running(producers + members) {
                    for (number, producer) in producers.enumerated() {
                        #expect(try await ledger.publish(0..<20, prefix: "before \(number) ", producer) == nil)
                    }
                    let before = try await lives(database)
                    #expect(before.count == 2)
                    try await database.server.whileKilled {
                        // The outage itself.
                        try await Task.sleep(for: lease * 2)
                    }
                    let leases = try await leasesEnd(database)
                    for (number, producer) in producers.enumerated() {
                        try await ledger.publishUntilTaken("after \(number)", producer)
                    }
                    // For longer than it takes until somebody may be declared dead.
                    try await eventually("both have renewed for three leases") {
                        try await leasesEnd(database) > leases + 9_000
                    }
                    #expect(try await lives(database) == before, "the same lives, and alive")
                    try await eventually("all is delivered") { ledger.missing("s-member").isEmpty }
                    try await database.isEmptied()
                    #expect(ledger.repeated("s-member").isEmpty)
                }
            }
        }
    }

    /// Numbers and states of all incarnations.
    private func lives(_ database: Database) async throws -> [Int64: Int64] {
        Dictionary(
            uniqueKeysWithValues: try await database.rows("SELECT number, state FROM kite_incarnation") {
                (try $0.int(0), try $0.int(1))
            })
    }

    /// When the first of the living brokers' leases ends, Unix ms.
    private func leasesEnd(_ database: Database) async throws -> Int64 {
        try await database.rows("SELECT MIN(lease_until) FROM kite_incarnation WHERE state = 0") { try $0.int(0) }[0]
    }

    @Test(arguments: [false, true]) func aDatabaseThatTakesNoWrites(forLongerThanTheLease: Bool) async throws {
        let database = try await Database.migrated()
        // root is above read_only.
        try await database.execute(
            "CREATE USER \(database.name)", "GRANT ALL ON `\(database.name)\\_%`.* TO \(database.name)")
        let lease = Duration.seconds(forLongerThanTheLease ? 3 : 60)
        let store = try database.configuration(user: database.name, lease: lease)
        try await HostedBroker.run(
            store, groups: ["s-member"],
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
                try await database.execute("SET GLOBAL read_only = 1")
                do {
                    let error = try await ledger.publish("refused", producer)
                    #expect(error?.code == .refused)
                    #expect(error?.message.contains("read-only") == true, "\(String(describing: error))")
                    if forLongerThanTheLease {
                        try await eventually("the lease is over") {
                            try await database.count(
                                "kite_incarnation", where: "lease_until < UNIX_TIMESTAMP() * 1000 - 1000") == 1
                        }
                        let error = try await ledger.publish("refused", producer)
                        #expect(error?.code == .refused, "\(String(describing: error))")
                    } else {
                        gate.open()
                        try await eventually("what is in memory is delivered") { ledger.count("s-member") == 20 }
                    }
                } catch {
                    try await database.execute("SET GLOBAL read_only = 0")
                    throw error
                }
                try await database.execute("SET GLOBAL read_only = 0")
                gate.open()
                try await ledger.publishUntilTaken("taken", producer)
                try await eventually("all is delivered") { ledger.missing("s-member").isEmpty }
                try await database.isEmptied()
                #expect(ledger.times("refused", "s-member") == 0 && ledger.repeated("s-member").isEmpty)
                #expect(try await database.count("kite_incarnation") == 1)
            }
        }
    }

    /// A message goes through.
    func expectToWork(_ discovery: KiteQConfiguration.Discovery) async throws {
        let ledger = Ledger()
        let producer = try producer(discovery)
        let member = try consumer("s-member", discovery) { ledger.got($0, "s-member") }
        try await running([producer, member]) {
            #expect(try await ledger.publish("works", producer) == nil)
            try await eventually("it is delivered") { ledger.times("works", "s-member") == 1 }
        }
    }
}
