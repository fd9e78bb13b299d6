import KiteQCore
import Testing

@testable import KiteQBroker

@Suite struct GroupAccountsTests {
    private static let second: MonotonicTime = 1_000_000_000

    @Test func inventedNamesDoNotMakeThemGrow() {
        let accounts = GroupAccounts()
        let kept = accounts.account(of: "kept", now: 1)
        let used = ObjectIdentifier(accounts.account(of: "used", now: 1))
        _ = accounts.account(of: "used", now: 1).take(bytes: 1, within: GroupLimits(rate: 1), now: 1)
        for number in 0..<10_000 { _ = accounts.account(of: "g-\(number)", now: 1) }
        #expect(accounts.count <= 1_000)
        #expect(accounts.account(of: "kept", now: 1) === kept, "somebody has it at hand")
        #expect(ObjectIdentifier(accounts.account(of: "used", now: 1)) == used, "something is used of it")
        for number in 0..<10_000 { _ = accounts.account(of: "h-\(number)", now: 1 + 2 * Self.second) }
        #expect(accounts.count <= 1_000)
    }

    @Test func whoComesBackHasWhatItLeft() {
        let accounts = GroupAccounts()
        let limits = GroupLimits(rate: 2)
        let first = accounts.account(of: "a", now: 1).take(bytes: 1, within: limits, now: 1)
        let second = accounts.account(of: "a", now: 1).take(bytes: 1, within: limits, now: 1)
        #expect(first == nil && second == .rate(2))
    }

    @Test func aNewAccountKnowsWhatTheStoreSaid() {
        let accounts = GroupAccounts()
        let old = accounts.account(of: "a", now: 1)
        accounts.beginLook()
        accounts.endLook(found: [BindingName("a"): 2, BindingName("b"): 3])
        #expect(old.withHalfMessages { $0.count } == 2)
        #expect(accounts.account(of: "b", now: 1).withHalfMessages { $0.count } == 3)
        accounts.decided(["a", "b", "b", "c"])
        #expect(old.withHalfMessages { $0.count } == 1)
        #expect(accounts.account(of: "b", now: 1).withHalfMessages { $0.count } == 1)
    }
}
