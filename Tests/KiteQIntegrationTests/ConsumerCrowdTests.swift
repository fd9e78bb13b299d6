import KiteQ
import KiteQBroker
import KiteQCore
import Testing

extension WholeBrokerTests.ConsumerTests {
    @Test func aThousandThatComeAndGo() async throws {
        let database = try await Database.migrated()
        try await HostedBroker.run(
            try database.configuration(), groups: ["s-crowd", "s-member"],
            configure: {
                $0.delivery.window = 4
                $0.topicDefaults.redelivery = try RedeliverySchedule.validated(immediate: 3, steps: [], beyond: 100)
            }
        ) { broker in
            let ledger = Ledger()
            let discovery = try await broker.discovery()
            let producer = try producer(discovery)
            let member = try consumer("s-member", discovery) { ledger.got($0, "s-member") }
            try await running([producer, member]) {
                #expect(try await ledger.publish(0..<1_200, producer) == nil)
                try await withThrowingTaskGroup(of: Void.self) { crowd in
                    for number in 0..<1_000 {
                        if number >= 100 { try await crowd.next() }
                        crowd.addTask { try await Self.visit(discovery, ledger) }
                    }
                    try await crowd.waitForAll()
                }
                try await broker.until("they are gone") { $0.connectionsByGroup == ["p-pay": 1, "s-member": 1] }
                let last = try consumer("s-crowd", discovery) { ledger.got($0, "s-crowd") }
                try await running([last]) {
                    try await eventually("nothing is lost") {
                        ledger.missing("s-crowd").isEmpty && ledger.missing("s-member").isEmpty
                    }
                    try await database.isEmptied()
                }
                #expect(try await database.count("kite_dead_letter") == 0)
                #expect(ledger.repeated("s-member").isEmpty)
            }
            try await broker.untilNothingIsHeld()
            try await broker.until("nobody is left") { $0.connections == 0 && $0.connectionsByGroup.isEmpty }
        }
    }

    /// Connects, takes a message if there is one, and vanishes with what else it was sent.
    private static func visit(_ discovery: KiteQConfiguration.Discovery, _ ledger: Ledger) async throws {
        let (taken, take) = AsyncStream<Void>.makeStream()
        let visitor = try consumer("s-crowd", discovery, concurrency: 1) { message in
            ledger.got(message, "s-crowd")
            take.yield()
        }
        try await running([visitor]) {
            try await withThrowingTaskGroup(of: Void.self) { race in
                race.addTask { for await _ in taken { return } }
                race.addTask { try await Task.sleep(for: .milliseconds(100)) }
                defer { race.cancelAll() }
                try await race.next()
            }
        }
    }
}
