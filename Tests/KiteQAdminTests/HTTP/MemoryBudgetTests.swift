import KiteQCore
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
        let budget = MemoryBudget(100)
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
}
