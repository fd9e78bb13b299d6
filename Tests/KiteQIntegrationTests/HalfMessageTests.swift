import KiteQBroker
import KiteQCore
import KiteQRegistry
import MariaDB
import Testing

@testable import KiteQ

extension WholeBrokerTests {
    /// Half messages where brokers of one database are not alike, and where answers come late.
    @Suite struct HalfMessageTests {}
}

extension WholeBrokerTests.HalfMessageTests {
    private static func asking(_ topics: Set<String>, checks: Int = 1_000) -> (inout BrokerConfiguration) -> Void {
        {
            $0.topics = topics
            $0.transactions = TransactionSchedule(firstAfter: 100, longest: 200, maxChecks: checks)
            $0.absentPublisherRecheck = .milliseconds(100)
        }
    }

    /// Broker `feed` serves another topic than broker `trade`, which has the half message. A commit that comes to it is not the
    /// message's end, and it does not ask about what it does not know.
    @Test func brokersThatServeDifferentTopicsLoseNoCommit() async throws {
        let database = try await Database.migrated(shards: 2)
        let ledger = Ledger()
        let feedBindings = [Binding(group: "s-feed", topic: "feed", messageType: "paid")]
        try await HostedBroker.run(
            database.configuration(), groups: ["s-trade"], name: "trade", configure: Self.asking(["trade"])
        ) { trade in
            let atTrade = try await trade.discovery()
            try await HostedBroker.run(
                database.configuration(), registry: StaticRegistry(bindings: feedBindings), name: "feed",
                configure: Self.asking(["feed"])
            ) { feed in
                let atFeed = try await feed.discovery()
                let consumer = try consumer("s-trade", atTrade) { ledger.got($0, "s-trade") }
                let elsewhere = try Producer(.patient("p-pay", atFeed), topics: ["feed"], logger: quiet)
                try await running([consumer, elsewhere]) {
                    let own = try await elsewhere.prepare(
                        OutgoingMessage(topic: "feed", messageType: "paid", text: "own"))
                    let producer = try producer(atTrade)
                    let (committed, open) = try await running([producer]) {
                        (try await producer.prepare(.paid("committed")), try await producer.prepare(.paid("open")))
                    }
                    // The client of the group that is left is connected to the other broker.
                    PreparedMessage(receipt: committed.receipt, header: committed.header, connection: own.connection)
                        .commit()
                    try await eventually("the commit counts") { ledger.times("committed", "s-trade") == 1 }
                    let asked = feed.broker.status?.transactions.asked.count ?? 0
                    try await feed.until("it asks about its own") { $0.transactions.asked.count > asked + 5 }
                    let checks = try await database.rows(
                        "SELECT checks FROM kite_transaction WHERE message_id = UNHEX('\(open.messageID)')"
                    ) { try $0.int(0) }
                    #expect(checks.count == 1, "it is undecided")
                    let answering = try Producer(
                        .patient("p-pay", atTrade), topics: ["trade"], logger: quiet,
                        onTransactionCheck: { _ in .commit })
                    try await running([answering]) {
                        try await eventually("who knows the topic asks") { ledger.times("open", "s-trade") == 1 }
                    }
                    own.rollBack()
                    try await database.isEmptied()
                }
            }
        }
        #expect(try await database.count("kite_transaction", where: "outcome = 1") == 2)
        #expect(try await database.count("kite_dead_letter") == 0)
    }

    /// The application is slow to find out what became of its transaction: the message is parked meanwhile.
    @Test func anAnswerThatComesAfterParkingCounts() async throws {
        let database = try await Database.migrated()
        let ledger = Ledger()
        try await HostedBroker.run(
            database.configuration(), groups: ["s-trade"], configure: Self.asking(["trade"], checks: 1)
        ) { broker in
            let discovery = try await broker.discovery()
            let consumer = try consumer("s-trade", discovery) { ledger.got($0, "s-trade") }
            let producer = try Producer(
                .patient("p-pay", discovery), topics: ["trade"], logger: quiet,
                onTransactionCheck: { check in
                    // A count that only grows: of the letters one is gone as soon as the other is answered.
                    try await broker.until("both are parked") { $0.transactions.parked.count == 2 }
                    return check.properties["keep"] == "yes" ? .commit : .rollBack
                })
            try await running([consumer, producer]) {
                var kept = OutgoingMessage.paid("kept")
                kept.properties["keep"] = "yes"
                _ = try await producer.prepare(kept)
                _ = try await producer.prepare(.paid("gone"))
                try await eventually("both are decided after all") { ledger.times("kept", "s-trade") == 1 }
                try await broker.until("both are decided") { $0.transactions.late.count == 2 }
                try await database.isEmptied()
            }
        }
        #expect(try await database.count("kite_dead_letter") == 0)
        #expect(try await database.count("kite_transaction", where: "outcome IN (1, 2)") == 2)
        #expect(ledger.times("gone", "s-trade") == 0)
    }
}
