import KiteQCore
import Synchronization
import Testing

@testable import KiteQAdmin

@Suite struct MemoryBudgetTests {
    @Test func aKeyHasItsShareAndAllHaveWhatThereIs() {
        var shares = ByteShares(all: 100, share: 50)
        let first = [
            shares.take(50, for: ["group a", "address x"]), shares.take(1, for: ["group a", "address y"]),
            // Under another name, from the same place.
            shares.take(1, for: ["group b", "address x"]),
        ]
        #expect(first == [true, false, false])
        let second = [shares.take(40, for: ["group c", "address y"]), shares.take(11, for: ["group d", "address z"])]
        #expect(second == [true, false] && shares.taken == 90)
        shares.giveBack(50, for: ["group a", "address x"])
        let third = shares.take(50, for: ["group d", "address z"])
        #expect(third && shares.taken == 90)
    }

    @Test func aLeaseComesBackOnceAndAtItsEndAtTheLatest() {
        let budget = MemoryBudget(100, patience: .milliseconds(50))
        let lease = MemoryLease(budget, for: ["a"])
        #expect(lease.take(20) && lease.take(30) && !lease.take(1))
        #expect(budget.taken == 50 && budget.refusals == 1)
        lease.end()
        lease.end()
        #expect(budget.taken == 0)
        do {
            let lost = MemoryLease(budget, for: ["a"])
            #expect(lost.take(10))
        }
        #expect(budget.taken == 0)
    }

    private final class Order: Sendable {
        let numbers = Mutex<[Int]>([])
    }

    @Test func whoWaitsGetsRoomInTurn() async throws {
        let budget = MemoryBudget(100, patience: .seconds(30))
        #expect(budget.take(50, for: ["a"]))
        let order = Order()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for (number, bytes) in [(1, 40), (2, 5)] {
                tasks.addTask {
                    #expect(await budget.takeInTime(bytes, for: ["a"]))
                    order.numbers.withLock { $0.append(number) }
                }
                try await eventually("it waits") { budget.waitingCount == number }
            }
            // Another share is not concerned.
            #expect(await budget.takeInTime(50, for: ["b"]))
            budget.giveBack(50, for: ["b"])
            #expect(order.numbers.withLock { $0 }.isEmpty)
            budget.giveBack(50, for: ["a"])
            try await tasks.waitForAll()
        }
        #expect(budget.taken == 45 && budget.waitingCount == 0)
    }

    @Test func nobodyWaitsForEver() async {
        let budget = MemoryBudget(100, patience: .milliseconds(20))
        #expect(budget.take(50, for: ["a"]))
        #expect(await !budget.takeInTime(10, for: ["a"]))
        #expect(budget.waitingCount == 0 && budget.refusals == 1)
        let patient = MemoryBudget(100, patience: .seconds(600))
        #expect(patient.take(50, for: ["a"]))
        await withTaskGroup(of: Bool.self) { tasks in
            tasks.addTask { await patient.takeInTime(10, for: ["a"]) }
            tasks.cancelAll()
            for await hasRoom in tasks { #expect(!hasRoom) }
        }
        #expect(patient.waitingCount == 0 && patient.taken == 50)
    }
}
