import KiteQ
import KiteQBroker
import KiteQCore
import KiteQStore
import MariaDB
import TestSupport
import Testing

extension WholeBrokerTests {
    /// Consumers that do not do what they should: memory stays bounded, and other groups do not feel it.
    @Suite struct ConsumerTests {}
}

extension WholeBrokerTests.ConsumerTests {
    @Test func oneThatNeverAcknowledges() async throws {
        let database = try await Database.migrated()
        try await HostedBroker.run(
            try database.configuration(), groups: ["s-mute", "s-member"],
            configure: { $0.topicDefaults.answerTime = 300_000_000 }
        ) { broker in
            let (ledger, gate) = (Ledger(), Gate())
            let producer = try producer(await broker.discovery())
            let member = try consumer("s-member", await broker.discovery()) { ledger.got($0, "s-member") }
            // It does not even say that it is at work.
            let mute = try consumer(
                "s-mute", await broker.discovery(), concurrency: 200, adjust: { $0.handlerTimeout = .zero }
            ) { message in
                ledger.got(message, "s-mute")
                try await gate.pass()
            }
            try await running([producer, member, mute]) {
                let messages = (0..<40).map { number in
                    var message = OutgoingMessage.paid("\(number)")
                    message.deliverLimit = 3
                    return message
                }
                for message in messages { #expect(try await ledger.publish(message, producer) == nil) }
                try await eventually("the other group has them") { ledger.count("s-member") == 40 }
                try await eventually("they are dead for this one") {
                    try await database.count("kite_dead_letter", where: "group_name = 's-mute' AND reason = 1") == 40
                }
                try await database.isEmptied()
                #expect(messages.allSatisfy { ledger.times($0.body.string, "s-mute") == 3 })
                // Late, and good news all the same: they were handled.
                gate.open()
                try await broker.until("the answers are there") { $0.delivery.lateAcknowledgements == 120 }
                try await eventually("the letters are taken back") { try await database.count("kite_dead_letter") == 0 }
                try await broker.untilNothingIsHeld()
                #expect(ledger.repeated("s-member").isEmpty)
            }
        }
    }

    /// A message that ends whoever gets it: its connection drops, and what else it had in hand goes to others.
    @Test func oneThatDiesOfAMessage() async throws {
        let database = try await Database.migrated()
        try await HostedBroker.run(
            try database.configuration(), groups: ["s-mortal", "s-member"],
            configure: {
                $0.delivery.window = 8
                $0.topicDefaults.redelivery = try RedeliverySchedule.validated(immediate: 3, steps: [], beyond: 100)
            }
        ) { broker in
            let ledger = Ledger()
            let producer = try producer(await broker.discovery())
            let member = try consumer("s-member", await broker.discovery()) { ledger.got($0, "s-member") }
            let port = try #require(broker.address?.port)
            try await Self.withProxies(2, to: port) { proxies in
                let mortals = try proxies.map { proxy, discovery in
                    try consumer("s-mortal", discovery, concurrency: 1) { message in
                        ledger.got(message, "s-mortal")
                        if message.body.string == "poison" { await proxy.cutAll() }
                    }
                }
                try await running([producer, member] + mortals) {
                    try await broker.until("all are there") { $0.connections == 4 }
                    var poison = OutgoingMessage.paid("poison")
                    poison.deliverLimit = 3
                    #expect(try await ledger.publish(0..<50, producer) == nil)
                    #expect(try await ledger.publish(poison, producer) == nil)
                    #expect(try await ledger.publish(50..<100, producer) == nil)
                    try await eventually("all is delivered") {
                        ledger.missing("s-member").isEmpty && ledger.missing("s-mortal").isEmpty
                    }
                    try await database.isEmptied()
                }
            }
            let dead = try await database.rows("SELECT body, group_name, reason, attempts FROM kite_dead_letter") {
                "\(try $0.text(0)) \(try $0.text(1)) \(try $0.int(2)) \(try $0.int(3))"
            }
            #expect(dead == ["poison s-mortal 1 3"])
            // Three attempts, and the losses in company that were none.
            #expect((3...10).contains(ledger.times("poison", "s-mortal")))
            #expect(ledger.repeated("s-member").isEmpty && ledger.count("s-member") == 101)
        }
    }

    private static func withProxies(
        _ count: Int, to port: Int, _ body: ([(CuttingProxy, KiteQConfiguration.Discovery)]) async throws -> Void
    ) async throws {
        var proxies: [(CuttingProxy, KiteQConfiguration.Discovery)] = []
        for _ in 0..<count {
            let proxy = CuttingProxy(server: port)
            proxies.append((proxy, .brokers(["127.0.0.1:\(try await proxy.start())"])))
        }
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(proxies))
        } catch {
            result = .failure(error)
        }
        for (proxy, _) in proxies { try await proxy.stop() }
        try result.get()
    }

    @Test func oneThatIsSlowBesideAQuickGroup() async throws {
        let database = try await Database.migrated()
        // A page is begun below the bound, and may end above it.
        let (limit, page) = (256 << 10, 50 * 2_500)
        try await HostedBroker.run(
            try database.configuration(), groups: ["s-slow", "s-quick"],
            configure: {
                $0.delivery.window = 16
                $0.delivery.memoryBytes = limit
                $0.delivery.pageRows = 50
            }
        ) { broker in
            let (ledger, gate) = (Ledger(), Gate())
            let producer = try producer(await broker.discovery())
            let quick = try consumer("s-quick", await broker.discovery()) { ledger.got($0, "s-quick") }
            let slow = try consumer("s-slow", await broker.discovery(), concurrency: 1) { message in
                try await gate.pass()
                ledger.got(message, "s-slow")
            }
            try await running([producer, quick, slow]) {
                try await broker.until("all are there") { $0.connections == 3 }
                var highest = 0
                for round in 0..<10 {
                    #expect(try await ledger.publish(0..<50, prefix: "\(round) ", padding: 2_000, producer) == nil)
                    highest = max(highest, broker.broker.status?.gauges.bytes ?? 0)
                }
                try await eventually("the quick group has all") {
                    highest = max(highest, broker.broker.status?.gauges.bytes ?? 0)
                    return ledger.missing("s-quick").isEmpty
                }
                #expect(ledger.count("s-slow") == 0)
                #expect(highest > limit / 4 && highest <= limit + page, "a MiB was published; \(highest)")
                gate.open()
                try await eventually("the slow one has all") { ledger.missing("s-slow").isEmpty }
                try await database.isEmptied()
                #expect(ledger.repeated("s-quick").isEmpty && ledger.repeated("s-slow").isEmpty)
                try await broker.untilNothingIsHeld()
            }
        }
    }
}
