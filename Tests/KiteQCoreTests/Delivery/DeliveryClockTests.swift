import Testing

@testable import KiteQCore

/// Each shard's server has a time of its own: what lies in a shard is compared with it, and dated by it.
@Suite struct DeliveryClockTests {
    private static let month: Timestamp = 31 * 86_400_000

    @Test func aMessageExpiresByTheClockOfItsOwnShard() {
        var harness = DeliveryHarness(shards: 2)
        _ = harness.liveClient("s-member")
        harness.machine.setServerLead(shard: 1, Self.month)
        for shard in 0..<2 {
            harness.accept(Int64(shard + 1), DeliveryHarness.route("s-member"), DeliveryHarness.message(), shard: shard)
        }
        #expect(harness.deliveries().count == 1)
        #expect(harness.settlements().map(\.seq) == [2])
    }

    @Test(arguments: [month, -month, 0]) func aRetryIsDueByTheClockOfItsShard(_ lead: Timestamp) {
        var harness = DeliveryHarness()
        harness.machine.setServerLead(shard: 0, lead)
        _ = harness.liveClient("s-member")
        harness.accept(1, DeliveryHarness.route("s-member"), DeliveryHarness.message(expiresIn: lead + 3_600_000))
        for _ in 0..<3 {
            for delivery in harness.deliveries() { harness.acknowledge(delivery, false) }
        }
        #expect(
            harness.settlements().map(\.pending) == [
                [
                    .init(
                        group: "s-member", attempts: 3, dueAt: harness.wall + lead + 5_000,
                        lastError: "refused by the consumer")
                ]
            ])
    }

    /// A row that is due before 1970 would be found by nobody.
    @Test(arguments: [month, -month, 0]) func whatIsLeftToAnotherBrokerIsDueByTheClockOfItsShard(_ lead: Timestamp) {
        var harness = DeliveryHarness()
        harness.machine.setServerLead(shard: 0, lead)
        _ = harness.liveClient("here")
        harness.accept(1, DeliveryHarness.route("here", "there"), DeliveryHarness.message(expiresIn: lead + 3_600_000))
        harness.survey(ShardSurvey(elsewhere: ["there"]))
        for delivery in harness.deliveries() { harness.acknowledge(delivery) }
        #expect(
            harness.settlements().map(\.pending) == [
                [.init(group: "there", attempts: 0, dueAt: harness.wall + lead)]
            ])
    }

    @Test func whereTheServerIsNotHeardOfNothingExpires() {
        var harness = DeliveryHarness()
        _ = harness.liveClient("s-member")
        harness.machine.setLease(
            shard: 0, until: harness.now, &harness.moment)
        harness.accept(1, DeliveryHarness.route("s-member"), DeliveryHarness.message(expiresIn: 1_000))
        harness.pass(5_000_000_000)
        #expect(harness.settlements().isEmpty && harness.deliveries().isEmpty)
        // It is heard of again: only now is it known what time it is there.
        harness.machine.setLease(
            shard: 0, until: .max, &harness.moment)
        #expect(harness.settlements().map { $0.dead.map(\.reason) } == [[.expired]])
    }
}
