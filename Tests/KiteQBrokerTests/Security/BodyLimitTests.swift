import KiteQCore
import Testing

@testable import KiteQBroker

/// What a consumer cannot take is refused while its producer hears of it.
@Suite struct BodyLimitTests {
    private let route = Route([.init(group: "s-java", persistent: true), .init(group: "s-go", persistent: true)])

    @Test func theGroupsOfTheRouteSayHowMuch() {
        let limits = BodyLimits(
            groups: [BindingName("s-java"): GroupAccess(maxBody: 10), BindingName("x"): GroupAccess(maxBody: 1)])
        #expect(limits.refusal(of: 10, route: route) == nil)
        let refused = limits.refusal(of: 11, route: route)
        #expect(refused == "the body has 11 bytes, and group s-java takes at most 10 (max_body in groups.file)")
        #expect(limits.refusal(of: 11, route: Route([.init(group: "s-go", persistent: true)])) == nil)
        #expect(BodyLimits().refusal(of: .max, route: route) == nil)
    }
}
