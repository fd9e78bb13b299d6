import KiteQ
import Synchronization
import Testing

extension WholeBrokerTests {
    /// Brokers that leave in order.
    @Suite struct ShutdownTests {}
}

extension WholeBrokerTests.ShutdownTests {
    /// Each of two brokers is stopped and started again in the middle of the load: clients go on with the other one; nothing
    /// is lost, nothing comes twice, and no publish is left without an answer.
    @Test func aRollingRestart() async throws {
        let database = try await Database.migrated(shards: 2)
        try await TestZooKeeper.run { zooKeeper in
            let brokers = try (0..<2).map { _ in
                try ServedBroker(store: database.url(), registry: zooKeeper.url, options: ["recovery.interval=200ms"])
            }
            let ledger = Ledger()
            let producer = try producer(zooKeeper.discovery)
            let members = try ["s-member": Duration.milliseconds(20), "s-slow": .milliseconds(300)].map { group, time in
                try consumer(group, zooKeeper.discovery, concurrency: 64) { message in
                    ledger.got(message, group)
                    try await Task.sleep(for: time)
                }
            }
            try await running([producer] + members) {
                // Before there is a broker: each learns what it needs before it takes a message.
                try await zooKeeper.hasBindings(of: ["s-member", "s-slow"])
                for broker in brokers { try await broker.start() }
                try await underLoad(ledger, producer) { taken in
                    for broker in brokers {
                        try await taken(100)
                        #expect(await broker.stop() == nil)
                        try await taken(100)
                        try await broker.start()
                        try await eventually("it is ready") { try await broker.readiness() == "ready\n" }
                    }
                    try await taken(100)
                }
                try await eventually("all is delivered") {
                    ledger.missing("s-member").isEmpty && ledger.missing("s-slow").isEmpty
                }
                try await database.isEmptied()
            }
            for broker in brokers { #expect(await broker.stop() == nil) }
            #expect(ledger.repeated("s-member").isEmpty && ledger.repeated("s-slow").isEmpty)
            #expect(try await database.count("kite_dead_letter") == 0)
            #expect(
                ledger.refusals.allSatisfy { $0.code == .refused && $0.message.contains("the broker is stopping") },
                "\(ledger.refusals)")
        }
    }

    /// Publishes without end while `body` runs, each message until it is taken; gives it a way to wait until so many more are.
    private func underLoad(
        _ ledger: Ledger, _ producer: Producer, _ body: ((Int) async throws -> Void) async throws -> Void
    ) async throws {
        let isOver = Gate()
        try await withThrowingTaskGroup(of: Void.self) { publishers in
            for publisher in 0..<8 {
                publishers.addTask {
                    var number = 0
                    while !isOver.isOpen {
                        number += 1
                        try await ledger.publishUntilTaken("\(publisher) \(number)", producer)
                        try await Task.sleep(for: .milliseconds(10))
                    }
                }
            }
            try await body { more in
                let goal = ledger.acknowledged.count + more
                try await eventually("\(more) more are taken") { ledger.acknowledged.count >= goal }
            }
            isOver.open()
            try await publishers.waitForAll()
        }
    }
}
