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

    @Test func traitsAddAndChangeNothingElse() {
        let usual = (0..<20_000).map { MessagePlan(seed: 5, number: $0) }
        #expect(usual.allSatisfy { $0.slowDeliveries == 0 && !$0.isDeadly && !$0.isReused && $0.deliverLimit >= 5 })
        let all = (0..<20_000).map { MessagePlan(seed: 5, number: $0, traits: [.slow, .deadly, .sizes, .ids]) }
        for (one, other) in zip(usual, all) {
            #expect(one.way == other.way && one.kind == other.kind && one.refusals == other.refusals)
            #expect(other.deliverLimit > other.refusals + other.slowDeliveries)
        }
        #expect(Set(all.map(\.slowDeliveries)) == [0, 1, 2])
        #expect(all.contains { $0.isDeadly } && all.contains { $0.isReused && $0.way == .neverDecided })
        let slow = (0..<20_000).map { MessagePlan(seed: 5, number: $0, traits: .slow) }
        #expect(
            slow.map(\.slowDeliveries) == zip(slow, all).map { $1.isDeadly ? $0.slowDeliveries : $1.slowDeliveries })
    }

    @Test func sizesGoFromAByteToTwoMebibytes() {
        let sizes = (0..<50_000).map { MessagePlan(seed: 6, number: $0, traits: .sizes).size }
        #expect(
            sizes.min() == 1 && (sizes.max() ?? 0) > 1_500_000 && sizes.allSatisfy { $0 <= MessagePlan.largestBody })
        #expect(sizes.reduce(0, +) / sizes.count < 10_000, "or a run is about bytes alone")
        for number in 0..<2_000 as Range<UInt32> {
            let plan = MessagePlan(seed: 6, number: number, traits: .sizes)
            #expect(MessageText.body(number, plan).utf8.count == plan.size)
        }
    }
}
