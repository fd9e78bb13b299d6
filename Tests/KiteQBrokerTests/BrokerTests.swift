import KiteQCore
import KiteQStore
import KiteQWire
import NIOCore
import Testing

@testable import KiteQBroker

@Suite(.timeLimit(.minutes(3))) struct BrokerTests {
    // MARK: Handshake

    @Test(arguments: [Framing.plain, .lengthPrefixed]) func bothFramingsAreSpoken(framing: Framing) async throws {
        try await BrokerFixture.serving { fixture in
            let client = try await WireClient.greeted("s-member", at: fixture.address, framing: framing)
            var buffer = ByteBuffer()
            PacketWriter.writeHeartBeat(into: &buffer, framing: framing, opaque: 99, HeartBeat(version: 4_711))
            try await client.send(buffer)
            let echo = try await client.next(.heartbeat)
            #expect(echo.header.opaque == 99)
            #expect(try HeartBeat(decoding: echo.body).version == 4_711)
        }
    }

    @Test func secretsAreChecked() async throws {
        try await BrokerFixture.serving(configure: {
            $0.access = AccessRules(plain: ["p-pay": "right"], requiresSecret: true)
        }) { fixture in
            _ = try await WireClient.greeted("p-pay", at: fixture.address, secret: "right")
            for (group, secret) in [("p-pay", "wrong"), ("p-pay", ""), ("p-pay", "right!"), ("unknown", "right")] {
                let client = try await WireClient.connect(to: fixture.address)
                let ack = try await client.greet(group, secret: secret)
                #expect(!ack.status && !ack.feedback.isEmpty && !ack.feedback.contains("right!"))
                try await client.closed()
            }
        }
    }

    @Test func aRepeatedGreetingIsAnsweredAndAnotherGroupIsNot() async throws {
        try await BrokerFixture.serving { fixture in
            let client = try await WireClient.greeted("s-member", at: fixture.address)
            #expect(try await client.greet("s-member").status)
            #expect(try await client.greet("another").status == false)
            try await client.closed()
        }
    }

    @Test func whoSaysNothingIsSentAway() async throws {
        try await BrokerFixture.serving(configure: { $0.handshakeTimeout = .milliseconds(50) }) { fixture in
            let client = try await WireClient.connect(to: fixture.address)
            #expect(try ConnAuthAck(decoding: try await client.next(.connAuth).body).status == false)
            try await client.closed()
        }
    }

    @Test func silenceEndsAConnection() async throws {
        try await BrokerFixture.serving(configure: { $0.idleTimeout = .milliseconds(80) }) { fixture in
            let client = try await WireClient.greeted("s-member", at: fixture.address)
            try await client.closed()
        }
    }

    @Test func aMalformedPacketEndsItsConnectionAlone() async throws {
        try await BrokerFixture.serving { fixture in
            let other = try await WireClient.greeted("p-pay", at: fixture.address)
            for bytes: [UInt8] in [
                [0, 0, 0, 7, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x20, 0, 1],  // 2 MiB and one
                [0, 0, 0, 7, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 255, 255, 255, 255],
                [0, 0, 0, 7, 0x7F, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            ] {
                let client = try await WireClient.greeted("p-pay", at: fixture.address)
                try await client.send(ByteBuffer(bytes: bytes))
                try await client.closed()
            }
            #expect(fixture.broker.status?.malformedPackets == 3)
            #expect(try await other.publish(.init()).status)
        }
    }

    @Test func moreConnectionsThanAllowedAreRefused() async throws {
        try await BrokerFixture.serving(configure: { $0.maxConnections = 1 }) { fixture in
            _ = try await WireClient.greeted("s-member", at: fixture.address)
            let second = try await WireClient.connect(to: fixture.address)
            try await second.closed()
        }
    }

    // MARK: Publishing

    @Test func refusalsSayWhyAndKeepTheConnection() async throws {
        try await BrokerFixture.serving { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            for refused in [
                WireClient.Publish(id: "no id"), .init(topic: "nobody"), .init(expiredTime: 1),
                .init(isCommitted: false, isFly: true), .init(type: String(repeating: "x", count: 256)),
            ] {
                let ack = try await producer.publish(refused)
                #expect(!ack.status && !ack.feedback.isEmpty && ack.messageID == refused.id)
            }
            #expect(try await producer.publish(.init(createTime: .max)).status, "a senseless createTime harms nobody")
        }
    }

    @Test func aDuplicateIsAcknowledgedAndNotDeliveredAgain() async throws {
        try await BrokerFixture.serving { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let message = WireClient.Publish(body: "once")
            #expect(try await producer.publish(message).status)
            #expect(try await producer.publish(message).status, "while it is undone")
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let delivered = try await consumer.delivery()
            #expect(delivered.body == "once")
            try await consumer.acknowledge(delivered)
            try await fixture.until {
                $0.gauges.messages == 0 && $0.gauges.unflushed == 0 && $0.delivery.acknowledged == 1
            }
            #expect(try await producer.publish(message).status, "a short while after it was done")
            #expect(try await producer.publish(.init(body: "next")).status)
            #expect(try await consumer.delivery().body == "next")
            #expect(fixture.broker.status?.delivery.delivered == 2)
        }
    }

    @Test func theReceiveRateRefusesWhatIsAbove() async throws {
        try await BrokerFixture.serving(configure: { $0.receiveRate = 1 }) { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            #expect(try await producer.publish(.init()).status)
            // At one a second, most of these are too many, however slow the machine is.
            var refusals: [String] = []
            while refusals.count < 3 {
                let ack = try await producer.publish(.init())
                if !ack.status { refusals.append(ack.feedback) }
            }
            #expect(refusals.allSatisfy { $0.contains("receive rate") })
        }
    }

    @Test func whatTheStoreDoesNotTakeIsRefusedWithItsReason() async throws {
        let store = FaultyStore()
        try await BrokerFixture.serving(store: store) { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            store.fail(StoreError(.refusesWrites, "the disk is full"))
            let ack = try await producer.publish(.init())
            #expect(!ack.status && ack.feedback.contains("the disk is full"))
            store.fail(nil)
            #expect(try await producer.publish(.init()).status)
        }
    }

    @Test func anInsertWhoseReplyWasLostIsDeliveredAllTheSame() async throws {
        let store = FaultyStore()
        try await BrokerFixture.serving(store: store) { fixture in
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            #expect(try await producer.publish(.init(body: "first")).status)
            try await consumer.acknowledge(try await consumer.delivery())
            store.failAfterInserting(StoreError(.unavailable, "gone", isOutcomeUnknown: true))
            #expect(try await producer.publish(.init(body: "uncertain")).status == false)
            store.fail(nil)
            #expect(try await consumer.delivery().body == "uncertain")
        }
    }

    // MARK: Delivering

    @Test func aRefusedDeliveryComesAgainAndThenWaits() async throws {
        try await BrokerFixture.serving(configure: {
            guard let soon = RedeliverySchedule(immediate: 3, steps: [.init(below: 10, wait: 150)], beyond: 150) else {
                return
            }
            $0.topicDefaults.redelivery = soon
        }) { fixture in
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            #expect(try await producer.publish(.init(deliverLimit: 5)).status)
            for _ in 1...5 { try await consumer.acknowledge(try await consumer.delivery(), false) }
            try await fixture.until { $0.delivery.deadLettered == 1 && $0.gauges.unflushed == 0 }
            #expect(fixture.broker.status?.delivery.refused == 5)
        }
    }

    @Test func aMessageThatDiesIsInTheLogWithItsIDAndItsTrace() async throws {
        let log = CapturedLog()
        try await BrokerFixture.serving(logger: log.logger) { fixture in
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let publish = WireClient.Publish(
                deliverLimit: 1,
                properties: [("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")])
            #expect(try await producer.publish(publish).status)
            try await consumer.acknowledge(try await consumer.delivery(), false)
            try await fixture.until {
                $0.delivery.deadLettered == 1 && $0.gauges.unflushed == 0
                    && log.lines.contains { $0.contains("is dead for group") }
            }
            let line = try #require(log.lines.first { $0.contains("is dead for group s-member") })
            #expect(line.contains("4bf92f3577b34da6a3ce929d0e0e4736"))
            #expect(line.contains("\"message\": \(publish.id)"), "\(line)")
            let latencies = try #require(fixture.broker.status?.latencies)
            #expect(latencies.publish.count == 1)
            #expect(latencies.delivery.count == 1)
            #expect(latencies.acknowledgement.count == 1)
            #expect(latencies.writeBehind.count == 1)
            #expect(latencies.commit.count == 0)
        }
    }

    @Test func aGroupThatIsAwayGetsItsBacklogInOrder() async throws {
        try await BrokerFixture.serving { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            for number in 0..<50 { #expect(try await producer.publish(.init(body: "\(number)")).status) }
            #expect(fixture.broker.status?.gauges.messages == 0, "it costs no memory")
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            var bodies: Set<String> = []
            for _ in 0..<50 {
                let delivered = try await consumer.delivery()
                bodies.insert(delivered.body)
                try await consumer.acknowledge(delivered)
            }
            #expect(bodies.count == 50)
            try await fixture.until { $0.gauges.messages == 0 && $0.delivery.acknowledged == 50 }
        }
    }

    @Test func flyMessagesGoToThoseWhoAreHere() async throws {
        try await BrokerFixture.serving { fixture in
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let ack = try await producer.publish(.init(body: "fly", isFly: true))
            #expect(ack.status && ack.feedback.contains("not stored"))
            #expect(try await consumer.delivery().body == "fly")
        }
    }

    @Test func aConsumerThatGoesLeavesItsMessagesToAnother() async throws {
        try await BrokerFixture.serving { fixture in
            let first = try await WireClient.greeted("s-member", at: fixture.address)
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            #expect(try await producer.publish(.init(body: "precious")).status)
            _ = try await first.delivery()
            try await first.close()
            let second = try await WireClient.greeted("s-member", at: fixture.address)
            #expect(try await second.delivery().body == "precious")
        }
    }

    // MARK: Transactions

    @Test func theFirstFinalAnswerWins() async throws {
        let log = CapturedLog()
        try await BrokerFixture.serving(logger: log.logger) { fixture in
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let gone = WireClient.Publish(body: "gone", isCommitted: false)
            let kept = WireClient.Publish(body: "kept", isCommitted: false)
            #expect(try await producer.publish(gone).status)
            #expect(try await producer.publish(kept).status)
            try await producer.decide(gone, TransactionAck.Status.rollBack)
            try await producer.decide(gone, TransactionAck.Status.commit)
            try await producer.decide(kept, TransactionAck.Status.commit)
            try await producer.decide(kept, TransactionAck.Status.rollBack)
            #expect(try await consumer.delivery().body == "kept")
            try await fixture.until { $0.transactions.contrary.count == 2 }
            try await producer.decide(kept, TransactionAck.Status.commit)
            try await fixture.until { $0.transactions.repeated.count == 1 }
            #expect(log.lines.count(where: { $0.contains("the first answer stands") }) == 2)
            let late = try await producer.publish(gone)
            #expect(!late.status && late.feedback.contains("was rolled back"), "\(late)")
            #expect(try await producer.publish(kept).status, "late, and delivered")
            #expect(fixture.broker.status?.delivery.delivered == 1)
        }
    }

    @Test func manyContraryAnswersHideNoForgedOne() async throws {
        let log = CapturedLog()
        try await BrokerFixture.serving(logger: log.logger) { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let stranger = try await WireClient.greeted("p-other", at: fixture.address)
            let decided = WireClient.Publish(isCommitted: false)
            let open = WireClient.Publish(isCommitted: false)
            #expect(try await producer.publish(decided).status)
            #expect(try await producer.publish(open).status)
            try await producer.decide(decided, TransactionAck.Status.commit)
            for _ in 0..<12 { try await producer.decide(decided, TransactionAck.Status.rollBack) }
            try await fixture.until { $0.transactions.contrary.count == 12 }
            try await stranger.decide(open, TransactionAck.Status.commit)
            try await fixture.until { _ in log.lines.contains { $0.contains("refused an answer to half message") } }
        }
    }

    @Test func onlyThePublishingGroupDecides() async throws {
        try await BrokerFixture.serving { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let stranger = try await WireClient.greeted("p-other", at: fixture.address)
            let half = WireClient.Publish(isCommitted: false)
            #expect(try await producer.publish(half).status)
            try await stranger.decide(half, TransactionAck.Status.commit)
            try await fixture.until { $0.transactions.refused.count == 1 }
            #expect(fixture.broker.status?.delivery.delivered == 0)
        }
    }

    @Test func thePublisherIsAskedAndNeverOneThatOnlyPublishesCommitted() async throws {
        try await BrokerFixture.serving(configure: {
            $0.transactions = TransactionSchedule(firstAfter: 30, longest: 60)
            $0.recoveryInterval = .milliseconds(10)
            $0.absentPublisherRecheck = .milliseconds(10)
        }) { fixture in
            let php = try await WireClient.greeted("p-pay", at: fixture.address)
            #expect(try await php.publish(.init()).status)
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let half = WireClient.Publish(body: "asked", isCommitted: false)
            #expect(try await producer.publish(half).status)
            let question = try await producer.next(.txAck)
            #expect(try TransactionAck(decoding: question.body).status == TransactionAck.Status.unknown)
            try await producer.close()
            // Only the one that publishes committed messages is left: nobody is asked, and a new client of the group is.
            let heir = try await WireClient.greeted("p-pay", at: fixture.address)
            _ = try await heir.next(.txAck)
            try await heir.decide(half, TransactionAck.Status.commit)
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            var bodies: Set<String> = []
            for _ in 0..<2 {
                let delivered = try await consumer.delivery()
                bodies.insert(delivered.body)
                try await consumer.acknowledge(delivered)
            }
            #expect(bodies == ["asked", "body"])
        }
    }

    @Test func whatNobodyDecidesIsParked() async throws {
        try await BrokerFixture.serving(configure: {
            $0.transactions = TransactionSchedule(firstAfter: 10, longest: 10, maxChecks: 2)
            $0.recoveryInterval = .milliseconds(10)
        }) { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            #expect(try await producer.publish(.init(isCommitted: false)).status)
            try await fixture.until { $0.transactions.parked.count == 1 && $0.transactions.asked.count == 2 }
        }
    }

    // MARK: Stopping

    @Test func aStopFinishesWhatIsInFlight() async throws {
        let store = InMemoryMessageStore()
        try await BrokerFixture.serving(store: store, configure: { $0.drainTimeout = .seconds(30) }) { fixture in
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            #expect(try await producer.publish(.init(body: "in flight")).status)
            let delivered = try await consumer.delivery()
            await fixture.stop()
            try await untilStopping(producer)
            try await consumer.acknowledge(delivered)
            try await consumer.closed()
        }
        #expect(store.isEmpty, "the acknowledgement was written")
    }

    @Test func aStopTakesAnswersUntilTheLastConnectionCloses() async throws {
        try await BrokerFixture.serving(configure: { $0.drainTimeout = .seconds(30) }) { fixture in
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let half = WireClient.Publish(isCommitted: false)
            #expect(try await producer.publish(half).status)
            #expect(try await producer.publish(.init(body: "in flight")).status)
            let delivered = try await consumer.delivery()
            await fixture.stop()
            try await untilStopping(producer)
            try await producer.decide(half, TransactionAck.Status.commit)
            try await fixture.until { $0.transactions.committed.count == 1 }
            try await consumer.acknowledge(delivered)
            try await consumer.closed()
        }
    }

    /// Publishes what nobody is bound to until it is refused.
    private func untilStopping(_ producer: WireClient) async throws {
        while try await producer.publish(.init(type: "unbound")).status {}
    }
}
