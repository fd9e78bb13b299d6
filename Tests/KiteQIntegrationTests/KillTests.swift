import KiteQ
import Testing

extension WholeBrokerTests {
    /// A broker that is killed in the middle of everything, and started again.
    @Suite struct KillTests {}
}

extension WholeBrokerTests.KillTests {
    private struct NotNow: Error {}

    @Test func everythingThatWasBegunIsFinished() async throws {
        let database = try await Database.migrated(shards: 2)
        let broker = try ServedBroker(
            store: database.url(),
            bindings: [
                "s-flight": "flight", "s-fourth": "fourth", "s-done": "both", "s-undone": "both", "s-away": "away",
                "s-tx": "tx",
            ],
            options: ["recovery.interval=200ms"])
        try await broker.start()
        let (ledger, restarted) = (Ledger(), Gate())
        func member(
            _ group: String, _ type: String, _ handler: @escaping @Sendable (Int) async throws -> Void = { _ in }
        ) throws -> Consumer {
            try consumer(group, broker.discovery, type: type) { try await handler(ledger.got($0, group)) }
        }
        // Delivered, and never acknowledged before the kill.
        let flight = try member("s-flight", "flight") { _ in try await restarted.pass() }
        // Its fourth attempt comes after the kill, or fails.
        let fourth = try member("s-fourth", "fourth") { if $0 < 4 || !restarted.isOpen { throw NotNow() } }
        let members = [flight, fourth, try member("s-done", "both"), try member("s-tx", "tx")]
        let late = [try member("s-away", "away"), try member("s-undone", "both")]
        let producer = try Producer(
            .patient("p-pay", broker.discovery), topics: ["trade"], logger: quiet,
            onTransactionCheck: { _ in .commit })
        try await running(members + [producer]) {
            for type in ["flight", "fourth", "both", "away"] {
                #expect(try await ledger.publish(type, type: type, producer) == nil)
            }
            try await producer.prepare(.paid("rolled back", type: "tx")).rollBack()
            try await producer.prepare(.paid("committed", type: "tx")).commit()
            _ = try await producer.prepare(.paid("forgotten", type: "tx"))
            try await eventually("all that can be is delivered") {
                ledger.times("flight", "s-flight") == 1 && ledger.times("fourth", "s-fourth") >= 3
                    && ledger.times("both", "s-done") == 1 && ledger.times("committed", "s-tx") == 1
            }
            try await eventually("what only some groups have finished is written") {
                try await database.count("kite_delivery", where: "group_name IN ('s-fourth', 's-undone')") == 2
            }
            await broker.kill()
            let attempts = ledger.times("fourth", "s-fourth")
            restarted.open()
            try await broker.start()
            try await running(late) {
                try await eventually("all is delivered") {
                    ledger.times("flight", "s-flight") == 2 && ledger.times("fourth", "s-fourth") > attempts
                        && ledger.count("s-away") == 1 && ledger.count("s-undone") == 1
                        && ledger.times("forgotten", "s-tx") == 1
                }
                try await database.isEmptied()
            }
        }
        #expect(try await database.count("kite_dead_letter") == 0)
        #expect(ledger.times("both", "s-done") == 1, "a group that had it is left alone")
        #expect(ledger.times("committed", "s-tx") <= 2, "once more at the most: its removal may not have been written")
        #expect(ledger.times("rolled back", "s-tx") == 0)
        #expect(ledger.repeated("s-away").isEmpty && ledger.repeated("s-undone").isEmpty)
        #expect(await broker.stop() == nil)
    }
}
