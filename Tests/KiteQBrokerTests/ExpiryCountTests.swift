import KiteQCore
import KiteQWire
import Testing

@testable import KiteQBroker

/// What expires while its group is away is a dead letter of its topic, as what expires in memory is.
@Suite(.timeLimit(.minutes(2))) struct ExpiryCountTests {
    @Test func deadLettersOfAnAbsentGroupAreCountedByTopic() async throws {
        try await BrokerFixture.serving(configure: { $0.recoveryInterval = .milliseconds(20) }) { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            var message = WireClient.Publish()
            message.expiredTime = Int64(SystemTime.wall() / 1_000) + 2
            #expect(try await producer.publish(message).status)
            try await fixture.until { $0.topics.contains { $0.name == "trade" && $0.deadLettered == 1 } }
        }
    }
}
