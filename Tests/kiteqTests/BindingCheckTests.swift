import KiteQCore
import Testing

@testable import kiteq

/// `kiteq consume` in production must not take a group's messages from it.
@Suite struct BindingCheckTests {
    private let wanted = Binding(group: "s-trade", topic: "trade", messageType: "pay-succ", persistent: true)

    @Test func whatIsBoundAsWantedOrNotAtAllIsTaken() throws {
        try BindingCheck.check(wanted, against: [])
        try BindingCheck.check(wanted, against: [wanted, .fanout(group: "other", topic: "trade")])
        try BindingCheck.check(wanted, against: [.fanout(group: "s-trade", topic: "feed")])
    }

    @Test func whatIsBoundInAnotherWayIsLeftAlone() throws {
        var slower = wanted
        slower.watermark = 10
        for others in [[slower], [.fanout(group: "s-trade", topic: "trade")], [wanted, slower]] {
            let error = #expect(throws: CommandError.self) { try BindingCheck.check(wanted, against: others) }
            #expect(error?.description.contains("--replace") == true && error?.status == .failure)
        }
    }
}
