import KiteQCore
import KiteQStore
import KiteQWire
import Testing

@testable import KiteQBroker

/// Each publish has its answer in time, whatever the store does, and one answer.
@Suite(.timeLimit(.minutes(3))) struct PublishDeadlineTests {
    private static let soon: @Sendable (inout BrokerConfiguration) -> Void = { $0.publishWait = .milliseconds(200) }

    @Test func aStoreThatDoesNotAnswerHoldsUpNoAnswer() async throws {
        let store = FaultyStore(shards: 1)
        try await BrokerFixture.serving(store: store, configure: Self.soon) { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            store.holdInserts()
            // The answer comes while the store has it.
            let uncertain = try await producer.publish(.init(body: "uncertain"), opaque: 1)
            #expect(!uncertain.status && uncertain.feedback.hasPrefix(StoreAck.outcomeUnknown), "\(uncertain)")
            #expect(store.heldInserts == 1)
            store.releaseInserts()
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let delivered = try await consumer.delivery()
            #expect(delivered.body == "uncertain", "what came late is delivered all the same")
            try await consumer.acknowledge(delivered)
            try await fixture.until { $0.publishQueue.items == 0 }
            // The next answer is the next publish's: the first had its own.
            let next = WireClient.Publish(body: "next")
            let ack = try await producer.publish(next, opaque: 2)
            #expect(ack.status && ack.messageID == next.id)
            #expect(try await consumer.delivery().body == "next")
            #expect(fixture.broker.status?.delivery.delivered == 2)
            #expect(fixture.broker.status?.publishing.stored.count == 2)
        }
    }

    @Test func whatComesTooLateAndFailsIsNotAnsweredTwice() async throws {
        let store = FaultyStore(shards: 1)
        try await BrokerFixture.serving(store: store, configure: Self.soon) { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            store.holdInserts()
            #expect(try await !producer.publish(.init(), opaque: 1).status)
            store.fail(StoreError(.unavailable, "gone"))
            store.releaseInserts()
            try await fixture.until { $0.publishQueue.items == 0 }
            store.fail(nil)
            let next = WireClient.Publish(body: "next")
            let ack = try await producer.publish(next, opaque: 2)
            #expect(ack.status && ack.messageID == next.id)
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            #expect(try await consumer.delivery().body == "next")
        }
    }

    @Test func theAnswerSaysWhatTheStoreSaidAndNotThatTheTimeWasUp() async throws {
        let store = FaultyStore(shards: 1)
        // Some tries, of which the last but one ends shortly before the answer is due.
        try await BrokerFixture.serving(store: store, configure: { $0.publishWait = .milliseconds(500) }) { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            store.fail(StoreError(.unavailable, "it takes no writes"))
            let refused = WireClient.Publish()
            let ack = try await producer.publish(refused, opaque: 1)
            #expect(!ack.status && ack.feedback.hasSuffix("could not be stored: it takes no writes"), "\(ack)")
            store.fail(nil)
            #expect(try await producer.publish(refused, opaque: 2).status)
        }
    }

    @Test func aCallHasItsAnswersToo() async throws {
        let store = FaultyStore(shards: 1)
        try await BrokerFixture.serving(store: store, configure: Self.soon) { fixture in
            store.holdInserts()
            let message = NewMessage(topic: "trade", messageType: "paid", body: .text("uncertain"))
            let outcomes = try await fixture.messaging().publish([message], group: "p-pay")
            #expect(outcomes.map(\.verdict) == [.unknown])
            #expect(store.heldInserts == 1)
            store.releaseInserts()
        }
    }

    @Test func aLockedRowDelaysItselfAlone() async throws {
        let store = FaultyStore(shards: 1)
        // So long that an answer before its end is none of the clock's.
        try await BrokerFixture.serving(store: store, configure: { $0.publishWait = .seconds(600) }) { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let other = try await WireClient.greeted("p-pay", at: fixture.address)
            let locked = WireClient.Publish(body: "locked")
            store.lock([try #require(MessageID(locked.id))])
            async let waiting = producer.publish(locked)
            try await fixture.until { $0.publishQueue.items == 1 }
            // More than there are writers, one after the other.
            for number in 0..<5 { #expect(try await other.publish(.init(body: "\(number)")).status) }
            #expect(fixture.broker.status?.publishQueue.items == 1)
            store.lock([])
            #expect(try await waiting.status)
        }
    }

    @Test func aRowThatStaysLockedIsRefusedInTime() async throws {
        let store = FaultyStore(shards: 1)
        try await BrokerFixture.serving(store: store, configure: Self.soon) { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let locked = WireClient.Publish()
            store.lock([try #require(MessageID(locked.id))])
            let ack = try await producer.publish(locked)
            #expect(!ack.status && ack.feedback.contains("somebody has locked it"), "\(ack)")
            #expect(!ack.feedback.hasPrefix(StoreAck.outcomeUnknown))
            store.lock([])
            #expect(try await producer.publish(locked).status)
            #expect(fixture.broker.status?.publishing.stored.count == 1)
        }
    }

    /// One whose reply was lost, and that no server has settled since, is no refusal, however often it is tried.
    @Test func aRowThatMayBeStoredIsSaidToBeUncertain() async throws {
        let store = FaultyStore(shards: 1)
        try await BrokerFixture.serving(store: store, configure: Self.soon) { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let publish = WireClient.Publish()
            store.leaveUncertain([try #require(MessageID(publish.id))])
            let ack = try await producer.publish(publish)
            #expect(!ack.status && ack.feedback.hasPrefix(StoreAck.outcomeUnknown), "\(ack)")
            store.leaveUncertain([])
            #expect(try await producer.publish(publish).status)
        }
    }

    /// What comes to light after it was given up is nowhere in memory. Whoever repeats it is told that it is stored: so it is delivered.
    @Test func aRepeatOfWhatCameToLightLaterIsDelivered() async throws {
        let store = FaultyStore(shards: 1)
        let configure: @Sendable (inout BrokerConfiguration) -> Void = {
            Self.soon(&$0)
            // Nothing else finds it.
            $0.delivery.orphanInterval = 3_600_000_000_000
        }
        try await BrokerFixture.serving(store: store, configure: configure) { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            #expect(try await producer.publish(.init(body: "first")).status)
            #expect(try await consumer.delivery().body == "first")
            store.failAndApplyLate(StoreError(.refusesWrites, "it is read-only", isOutcomeUnknown: true))
            let publish = WireClient.Publish(body: "late")
            let pages = fixture.broker.status?.recovery.pages.count ?? 0
            let ack = try await producer.publish(publish, opaque: 2)
            #expect(ack.feedback.hasPrefix(StoreAck.outcomeUnknown), "\(ack)")
            // It was looked for, and not found.
            try await fixture.until { $0.recovery.pages.count > pages }
            try await store.applyLate()
            let again = try await producer.publish(publish, opaque: 3)
            #expect(again.status && again.feedback == "stored before", "\(again)")
            #expect(try await consumer.delivery().body == "late")
        }
    }
}
