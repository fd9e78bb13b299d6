import KiteQ
import KiteQBroker
import KiteQCore
import MariaDB
import Testing

extension WholeBrokerTests {
    /// Another session, a person's perhaps, holds locks on KiteQ's rows.
    @Suite struct LockTests {}
}

extension WholeBrokerTests.LockTests {
    @Test func rowsAreLockedForLongerThanAnybodyWaits() async throws {
        let database = try await Database.migrated()
        let store = try database.configuration()
        try await HostedBroker.run(
            store, groups: ["s-member"], name: "hasty", configure: { $0.publishWait = .milliseconds(500) }
        ) { hasty in
            try await HostedBroker.run(
                store, groups: ["s-member"], name: "patient", configure: { $0.publishWait = .seconds(120) }
            ) { patient in
                let (ledger, gate) = (Ledger(), Gate())
                let atHasty = try producer(await hasty.discovery())
                let atPatient = try producer(await patient.discovery())
                let members = try [await hasty.discovery(), await patient.discovery()].map { discovery in
                    try consumer("s-member", discovery) { message in
                        try await gate.pass()
                        ledger.got(message, "s-member")
                    }
                }
                try await running([atHasty, atPatient] + members) {
                    #expect(try await ledger.publish(0..<20, prefix: "hasty ", atHasty) == nil)
                    #expect(try await ledger.publish(0..<20, prefix: "patient ", atPatient) == nil)
                    try await withThrowingTaskGroup(of: KiteQError?.self) { waiting in
                        // All rows, and all room between and behind them.
                        try await database.whileLocked(by: "SELECT seq FROM \(database.name)_0.kite_message FOR UPDATE")
                        {
                            gate.open()
                            try await eventually("what is in memory is delivered") { ledger.count("s-member") == 40 }
                            waiting.addTask { try await ledger.publish("in time", atPatient) }
                            let error = try await ledger.publish("too early", atHasty)
                            // In time: whether the lock is had after all is not known then.
                            #expect(
                                error?.code == .refused || error?.code == .outcomeUnknown,
                                "\(String(describing: error))")
                        }
                        for try await error in waiting { #expect(error == nil, "it waited") }
                    }
                    #expect(try await ledger.publish("after", atHasty) == nil)
                    try await eventually("all is delivered") { ledger.missing("s-member").isEmpty }
                    try await database.isEmptied()
                    let early = ledger.times("too early", "s-member")
                    #expect(ledger.repeated("s-member").isEmpty && ledger.count("s-member") - early == 42)
                }
            }
        }
    }

    enum Lock: String, CaseIterable, CustomTestStringConvertible {
        case allTables, tableBehindAChange

        var testDescription: String { rawValue }
    }

    /// All tables, or one of them, cannot be written: each publish has its answer while that lasts, and afterwards what was
    /// acknowledged, and nothing twice, is delivered.
    @Test(arguments: Lock.allCases) func aTableIsLocked(by lock: Lock) async throws {
        let database = try await Database.migrated()
        try await HostedBroker.run(try database.configuration(), groups: ["s-member"]) { broker in
            let ledger = Ledger()
            let producer = try producer(await broker.discovery())
            let member = try consumer("s-member", await broker.discovery()) { ledger.got($0, "s-member") }
            try await running([producer, member]) {
                #expect(try await ledger.publish("before", producer) == nil)
                try await eventually("it is delivered") { ledger.missing("s-member").isEmpty }
                try await database.isEmptied()
                try await whileLocked(lock, database) {
                    for number in 0..<3 {
                        let error = try await ledger.publish("meanwhile \(number)", producer)
                        #expect(
                            error?.code == .refused || error?.code == .outcomeUnknown, "\(String(describing: error))")
                    }
                    let many = await producer.publish(contentsOf: (0..<300).map { .paid("many \($0)") })
                    #expect(
                        many.allSatisfy { if case .failure = $0 { true } else { false } }, "all are answered: refused")
                }
                try await ledger.publishUntilTaken("after", producer)
                try await eventually("all is delivered") { ledger.missing("s-member").isEmpty }
                try await database.isEmptied()
                #expect(ledger.repeated("s-member").isEmpty)
            }
        }
    }

    private func whileLocked(_ lock: Lock, _ database: Database, _ body: () async throws -> Void) async throws {
        let table = "\(database.name)_0.kite_message"
        switch lock {
        case .allTables:
            try await database.whileLocked(by: "FLUSH TABLES WITH READ LOCK", then: "UNLOCK TABLES", body)
        case .tableBehindAChange:
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                try await database.whileLocked(by: "SELECT COUNT(*) FROM \(table)") {
                    tasks.addTask { try await database.execute("ALTER TABLE \(table) COMMENT = 'changed'") }
                    try await eventually("the change waits") {
                        let waits = "state LIKE '%metadata lock%' AND info LIKE 'ALTER%'"
                        return try await database.count("information_schema.processlist", where: waits) == 1
                    }
                    try await body()
                }
                try await tasks.waitForAll()
            }
        }
    }

    /// Messages that are published again while somebody has their rows: they wait, and what comes besides does not.
    @Test func rowsThatAreLockedDelayThemselvesAlone() async throws {
        let database = try await Database.migrated()
        try await HostedBroker.run(
            try database.configuration(), groups: ["s-member"], configure: { $0.publishWait = .seconds(10) }
        ) { broker in
            let ledger = Ledger()
            let (producer, other) = (
                try producer(await broker.discovery()), try producer(await broker.discovery(), group: "p-other")
            )
            try await running([producer, other]) {
                let messages = (0..<200).map { OutgoingMessage.paid("locked \($0)") }
                for result in await producer.publish(contentsOf: messages) { _ = try result.get() }
                let ids = messages.map { "x'\($0.id)'" }.joined(separator: ",")
                // Rows, and no room between them.
                try await database.whileLocked(
                    by: "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "COMMIT", "BEGIN",
                    "SELECT seq FROM \(database.name)_0.kite_message FORCE INDEX (by_id)"
                        + " WHERE message_id IN (\(ids)) FOR UPDATE"
                ) {
                    let again = Gate()
                    try await withThrowingTaskGroup(of: Int.self) { tasks in
                        tasks.addTask {
                            let results = await producer.publish(contentsOf: messages)
                            again.open()
                            return results.count { if case .failure = $0 { true } else { false } }
                        }
                        try await broker.until("they wait") { $0.publishQueue.items >= 200 }
                        for number in 0..<20 {
                            #expect(try await ledger.publish("free \(number)", other) == nil)
                        }
                        #expect(!again.isOpen, "the others were stored before these had their answer")
                        for try await refused in tasks { #expect(refused == 200) }
                    }
                }
                for result in await producer.publish(contentsOf: messages) {
                    #expect(try result.get().feedback == "stored before")
                }
                let member = try consumer("s-member", await broker.discovery()) { ledger.got($0, "s-member") }
                try await running([member]) {
                    try await eventually("all is delivered") { ledger.count("s-member") == 220 }
                    try await database.isEmptied()
                    #expect(ledger.repeated("s-member").isEmpty)
                }
            }
        }
    }

    @Test func aDeadlockWhoseVictimIsTheBroker() async throws {
        let database = try await Database.migrated()
        try await database.execute("CREATE TABLE \(database.name)_0.ballast (number INT) ENGINE=InnoDB")
        try await HostedBroker.run(try database.configuration(), groups: ["s-member"]) { broker in
            let ledger = Ledger()
            let producer = try producer(await broker.discovery())
            let before = try await deadlocks(database)
            try await running([producer]) {
                #expect(try await ledger.publish(0..<40, producer) == nil)
                try await meetTheBroker(database, broker, ledger)
                #expect(try await deadlocks(database) == before + 1)
                #expect(try await ledger.publish("after", producer) == nil)
                let member = try consumer("s-member", await broker.discovery()) { ledger.got($0, "s-member") }
                try await running([member]) {
                    try await eventually("it is delivered") { ledger.missing("s-member").isEmpty }
                    try await database.isEmptied()
                }
                #expect(ledger.repeated("s-member").isEmpty)
            }
        }
    }

    /// Somebody has the last of the rows that the broker removes, and wants the last but one, which it has removed and not
    /// committed. A trigger stops the broker at the first row, until all is acknowledged and the rest is one batch, and again
    /// before the last.
    private func meetTheBroker(_ database: Database, _ broker: HostedBroker, _ ledger: Ledger) async throws {
        let (message, name) = ("\(database.name)_0.kite_message", database.name)
        let seqs = try await database.rows("SELECT seq FROM \(message) ORDER BY seq") { try $0.int(0) }
        try await database.execute(
            """
            CREATE TRIGGER \(name)_0.met AFTER DELETE ON \(message) FOR EACH ROW
            CASE OLD.seq
                WHEN \(seqs[0]) THEN DO GET_LOCK('\(name) first', 60) + RELEASE_LOCK('\(name) first');
                WHEN \(seqs[38]) THEN DO GET_LOCK('\(name) last', 60) + RELEASE_LOCK('\(name) last');
                ELSE BEGIN END;
            END CASE
            """)
        let member = try consumer("s-member", await broker.discovery(), concurrency: 1) { ledger.got($0, "s-member") }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            try await database.whileLocked(by: "DO GET_LOCK('\(name) last', 60)") {
                tasks.addTask {
                    try await database.whileLocked(
                        // The victim is who has changed fewer rows.
                        by: "INSERT INTO \(name)_0.ballast SELECT seq FROM \(name)_0.seq_1_to_5000",
                        "SELECT seq FROM \(message) WHERE seq = \(seqs[39]) FOR UPDATE",
                        then: "SELECT seq FROM \(message) WHERE seq = \(seqs[38]) FOR UPDATE"
                    ) {
                        try await database.whileLocked(by: "DO GET_LOCK('\(name) first', 60)") {
                            try await running([member]) {
                                try await eventually("all is delivered") { ledger.count("s-member") == 40 }
                                try await broker.until("all is acknowledged") { $0.gauges.inFlight == 0 }
                            }
                        }
                        try await eventually("the broker is before the last") {
                            let waits = "state = 'User lock' AND info LIKE '% last%'"
                            return try await database.count("information_schema.processlist", where: waits) == 1
                        }
                    }
                }
                try await eventually("somebody waits for the broker") {
                    // innodb_trx tells who asks again within 100 ms what it told before.
                    try await status("Innodb_row_lock_current_waits", database) == 1
                }
            }
            try await tasks.waitForAll()
        }
        try await database.isEmptied()
        try await database.execute("DROP TRIGGER \(name)_0.met")
    }

    private func deadlocks(_ database: Database) async throws -> Int {
        try await status("Innodb_deadlocks", database)
    }

    private func status(_ name: String, _ database: Database) async throws -> Int {
        try await database.rows("SHOW GLOBAL STATUS LIKE '\(name)'") { Int(try $0.text(1)) ?? 0 }[0]
    }
}
