import Testing

@testable import FaultHarness

@Suite struct MessagePlanTests {
    @Test func theSeedMakesIt() {
        let plans = (0..<1_000).map { MessagePlan(seed: 3, number: $0) }
        #expect(plans == (0..<1_000).map { MessagePlan(seed: 3, number: $0) })
        #expect(plans != (0..<1_000).map { MessagePlan(seed: 4, number: $0) })
    }

    @Test func everyWayIsGone() {
        let plans = (0..<5_000).map { MessagePlan(seed: 9, number: $0) }
        for way in MessagePlan.Way.allCases { #expect(plans.contains { $0.way == way }, "\(way)") }
        for kind in Topology.kinds.indices { #expect(plans.contains { $0.kind == kind }) }
        #expect(
            plans.contains { $0.isPoison } && plans.contains { $0.refusals > 3 } && plans.contains { $0.isRepeated })
        #expect(plans.allSatisfy { $0.size < 100_000 })
    }
}
