import KiteQ
import KiteQCore
import Testing

extension WholeBrokerTests {
    /// What `delivery.memory` says holds, whatever the sizes and their order.
    @Suite struct MemoryTests {}
}

extension WholeBrokerTests.MemoryTests {
    /// Eight small ones, then sixty-four of 1.9 MB, for a group that comes back and takes them slowly.
    @Test func aBacklogOfLargeMessagesBehindSmallOnes() async throws {
        let database = try await Database.migrated()
        let broker = try ServedBroker(
            store: database.url(), bindings: ["s-member": "paid"], options: ["delivery.memory=16MiB"])
        let large = 64
        try await broker.start()
        let producer = try producer(broker.discovery)
        try await running([producer]) {
            for number in 0..<8 { try await producer.publish(.paid("\(number)")) }
            for number in 0..<large {
                try await producer.publish(.paid("\(number):" + String(repeating: "x", count: 1_900_000)))
            }
        }
        #expect(await broker.stop() == nil)
        try await broker.start()
        let ledger = Ledger()
        let member = try consumer("s-member", broker.discovery, concurrency: 1) { message in
            ledger.got(message, "s-member")
            try await Task.sleep(for: .milliseconds(10))
        }
        try await running([member]) {
            try await eventually("all of them came") { ledger.count("s-member") == 8 + large }
            try await database.isEmptied()
        }
        let peak = try #require(broker.residentPeak())
        // The program itself, the bound, the copies on their way, and a page of each kind under way: it was 400 MiB.
        #expect(peak < 200 << 20, "\(peak >> 20) MiB")
        #expect(await broker.stop() == nil)
    }
}
