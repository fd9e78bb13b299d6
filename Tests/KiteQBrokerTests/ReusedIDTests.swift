import KiteQCore
import KiteQStore
import KiteQWire
import Testing

@testable import KiteQBroker

/// An answer that says true promises delivery, also where an id is used again.
@Suite(.timeLimit(.minutes(3))) struct ReusedIDTests {
    @Test func whatWasRolledBackDoesNotComeToLifeByHalf() async throws {
        try await BrokerFixture.serving { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let half = WireClient.Publish(body: "half", isCommitted: false)
            var committed = half
            (committed.body, committed.isCommitted) = ("committed", true)
            #expect(try await producer.publish(half).status)
            #expect(try await producer.publish(half).status, "the same half message once more")
            let early = try await producer.publish(committed)
            #expect(!early.status && early.feedback.contains("not decided"), "\(early)")
            try await producer.decide(half, TransactionAck.Status.rollBack)
            try await fixture.until { $0.transactions.rolledBack.count == 1 }
            let late = try await producer.publish(half)
            #expect(!late.status && late.feedback.contains("was rolled back"), "\(late)")
            #expect(try await producer.publish(committed).status, "committed by itself: a new life")
            let delivered = try await consumer.delivery()
            #expect(delivered.body == "committed")
            let halfAgain = try await producer.publish(half)
            #expect(!halfAgain.status && halfAgain.feedback.contains("committed message"), "\(halfAgain)")
            try await producer.decide(half, TransactionAck.Status.rollBack)
            try await consumer.acknowledge(delivered)
            try await fixture.until { $0.delivery.acknowledged == 1 && $0.gauges.unflushed == 0 }
            #expect(fixture.broker.status?.delivery.delivered == 1)
        }
    }

    @Test func whatWasCommittedIsAcknowledgedOnceMore() async throws {
        try await BrokerFixture.serving { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let half = WireClient.Publish(body: "half", isCommitted: false)
            #expect(try await producer.publish(half).status)
            try await producer.decide(half, TransactionAck.Status.commit)
            let delivered = try await consumer.delivery()
            #expect(try await producer.publish(half).status, "it is on its way")
            try await consumer.acknowledge(delivered)
            try await fixture.until { $0.delivery.acknowledged == 1 && $0.gauges.unflushed == 0 }
            let ack = try await producer.publish(half)
            #expect(ack.status && ack.feedback.contains("committed"), "\(ack)")
            #expect(fixture.broker.status?.delivery.delivered == 1)
        }
    }

    @Test func whatWasParkedIsNotPublishedAgain() async throws {
        try await BrokerFixture.serving(configure: {
            $0.transactions = TransactionSchedule(firstAfter: 10, longest: 10, maxChecks: 1)
            $0.recoveryInterval = .milliseconds(10)
        }) { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let half = WireClient.Publish(isCommitted: false)
            #expect(try await producer.publish(half).status)
            try await fixture.until { $0.transactions.parked.count == 1 }
            let ack = try await producer.publish(half)
            #expect(!ack.status && ack.feedback.contains("parked"), "\(ack)")
        }
    }

    /// The memory of what was delivered must not say that of what was not.
    @Test func whatIsDeadIsNotDone() async throws {
        try await BrokerFixture.serving { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let message = WireClient.Publish(body: "poison", deliverLimit: 1)
            #expect(try await producer.publish(message).status)
            try await consumer.acknowledge(try await consumer.delivery(), false)
            try await fixture.until { $0.delivery.deadLettered == 1 && $0.gauges.unflushed == 0 }
            #expect(try await producer.publish(message).status)
            #expect(try await consumer.delivery().body == "poison", "it was acknowledged, so it comes")
        }
    }

    @Test func anIDIsOneMessageAlsoWhenItIsDone() async throws {
        let bindings = ["paid", "sent"].map { Binding(group: "s-member", topic: "trade", messageType: $0) }
        try await BrokerFixture.serving(bindings) { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let first = WireClient.Publish(body: "first")
            var second = first
            (second.type, second.body) = ("sent", "second")
            #expect(try await producer.publish(first).status)
            let delivered = try await consumer.delivery()
            let ack = try await producer.publish(second)
            #expect(!ack.status && ack.feedback.contains("another message"), "\(ack)")
            try await consumer.acknowledge(delivered)
            try await fixture.until { $0.delivery.acknowledged == 1 && $0.gauges.unflushed == 0 }
            #expect(try await producer.publish(second).status)
            #expect(try await consumer.delivery().body == "second")
        }
    }

    @Test func aCallIsToldTheSame() async throws {
        try await BrokerFixture.serving { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let half = WireClient.Publish(isCommitted: false)
            #expect(try await producer.publish(half).status)
            let same = NewMessage(id: half.id, topic: "trade", messageType: "paid", body: .text("committed"))
            let outcomes = try await fixture.messaging().publish([same, same], group: "p-pay")
            #expect(outcomes.map(\.verdict) == [.refused, .refused], "\(outcomes)")
            #expect(outcomes.allSatisfy { $0.feedback.contains("not decided") })
        }
    }
}
