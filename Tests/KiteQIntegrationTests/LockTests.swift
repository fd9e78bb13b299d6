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
                            #expect(error?.code == .refused)
                            #expect(
                                error?.message.contains("Lock wait timeout") == true, "\(String(describing: error))")
                        }
                        for try await error in waiting { #expect(error == nil, "it waited") }
                    }
                    #expect(try await ledger.publish("after", atHasty) == nil)
                    try await eventually("all is delivered") { ledger.missing("s-member").isEmpty }
                    try await database.isEmptied()
                    #expect(ledger.repeated("s-member").isEmpty && ledger.count("s-member") == 42)
                }
            }
        }
    }

    @Test func aDeadlockWhoseVictimIsTheBroker() async throws {
        let database = try await Database.migrated()
        let message = "\(database.name)_0.kite_message"
        try await database.execute("CREATE TABLE \(database.name)_0.ballast (number INT) ENGINE=InnoDB")
        try await HostedBroker.run(try database.configuration(), groups: ["s-member"]) { broker in
            let (ledger, gate) = (Ledger(), Gate())
            let producer = try producer(await broker.discovery())
            // One after the other, so that what is written first is what came first.
            let member = try consumer("s-member", await broker.discovery(), concurrency: 1) { message in
                try await gate.pass()
                ledger.got(message, "s-member")
            }
            let before = try await deadlocks(database)
            try await running([producer, member]) {
                #expect(try await ledger.publish(0..<40, producer) == nil)
                try await database.whileLocked(
                    by: "INSERT INTO \(database.name)_0.ballast SELECT seq FROM \(database.name)_0.seq_1_to_5000",
                    "SELECT seq FROM \(message) WHERE seq = (SELECT MAX(seq) FROM \(message)) FOR UPDATE",
                    // The victim is who has changed fewer rows. The broker has removed this one, and waits for the other.
                    then: "SELECT seq FROM \(message) ORDER BY seq LIMIT 1 FOR UPDATE"
                ) {
                    // What comes after the first removals is gathered to one batch.
                    try await database.whileLocked(by: "SELECT seq FROM \(message) ORDER BY seq LIMIT 1 FOR UPDATE") {
                        gate.open()
                        try await eventually("all is delivered") { ledger.count("s-member") == 40 }
                        try await broker.until("all is acknowledged") { $0.gauges.inFlight == 0 }
                    }
                    try await eventually("the broker waits for the last row") {
                        let waits = "trx_state = 'LOCK WAIT' AND trx_rows_modified > 1"
                        return try await database.count("information_schema.innodb_trx", where: waits) == 1
                    }
                }
                #expect(try await deadlocks(database) > before)
                try await database.isEmptied()
                #expect(try await ledger.publish("after", producer) == nil)
                try await eventually("it is delivered") { ledger.missing("s-member").isEmpty }
                try await database.isEmptied()
                #expect(ledger.repeated("s-member").isEmpty)
            }
        }
    }

    private func deadlocks(_ database: Database) async throws -> Int {
        try await database.rows("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'") { Int(try $0.text(1)) ?? 0 }[0]
    }
}
