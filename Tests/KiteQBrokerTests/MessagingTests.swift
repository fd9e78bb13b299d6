import KiteQCore
import KiteQRegistry
import KiteQStore
import KiteQWire
import NIOCore
import Testing

@testable import KiteQBroker

/// Publish, pull and acknowledge without a connection.
@Suite(.timeLimit(.minutes(3))) struct MessagingTests {
    private static let longWait = Duration.seconds(30)
    private static let visibility = Duration.seconds(600)

    private func pull(
        _ fixture: BrokerFixture, _ group: String = "s-member", max: Int = 10, wait: Duration = longWait,
        visibility: Duration = visibility
    ) async throws -> [PulledMessage] {
        try await fixture.messaging().pull(group: group, max: max, wait: wait, visibility: visibility)
    }

    private func text(_ message: Message) -> String { String(buffer: message.body) }

    /// Nobody saw it: it was no attempt.
    @Test func whatHasNoRoomGoesBack() async throws {
        try await BrokerFixture.serving { fixture in
            _ = try await fixture.messaging().publish(
                [NewMessage(topic: "trade", messageType: "paid", body: .text("x"))], group: "p-pay")
            let error = await #expect(throws: MessagingError.self) {
                try await fixture.messaging().pull(
                    group: "s-member", max: 10, wait: Self.longWait, visibility: Self.visibility,
                    hasRoom: { _ in false })
            }
            #expect(error?.code == .noRoom)
            let pulled = try await pull(fixture)
            #expect(pulled.map(\.attempt) == [1])
        }
    }

    /// Nobody is worked for who has left; and who is not answered in time is told to come again.
    @Test func aLogInIsWaitedForAsLongAsAGreetingIs() async throws {
        let access = AccessRules(
            groups: [BindingName("p-pay"): GroupAccess(secrets: [.hashed(SecretHash(of: "right", rounds: 1_000))])],
            requiresSecret: true)
        try await BrokerFixture.serving(configure: {
            $0.access = access
            $0.handshakeTimeout = .seconds(1)
        }) { fixture in
            let messaging = try fixture.messaging()
            for _ in 0..<4 {
                let error = await #expect(throws: MessagingError.self) {
                    try await messaging.admits(
                        group: "p-pay", secret: "wrong", from: "10.0.0.1", isThere: { false })
                }
                #expect(error?.code == .tooMany)
            }
            #expect(try await messaging.admits(group: "p-pay", secret: "right", from: "10.0.0.1") == .shown)
            #expect(try await messaging.admits(group: "p-pay", secret: "wrong", from: "10.0.0.1") == .refused)
        }
    }

    // MARK: Publishing

    @Test func whatIsPublishedIsPulledAsItWas() async throws {
        try await BrokerFixture.serving { fixture in
            let id = MessageID.random().description
            let outcomes = try await fixture.messaging().publish(
                [
                    NewMessage(
                        id: id, topic: "trade", messageType: "paid", body: .text("größer"),
                        properties: [.init("trace", "1"), .init("trace", "2")], deliverLimit: 7),
                    NewMessage(topic: "trade", messageType: "paid", body: .bytes(ByteBuffer(bytes: [0, 255]))),
                ], group: "p-pay")
            #expect(outcomes.map(\.verdict) == [.accepted, .accepted] && outcomes[0].messageID == id)
            #expect(MessageID(outcomes[1].messageID) != nil)
            var pulled: [PulledMessage] = []
            while pulled.count < 2 { pulled += try await pull(fixture) }
            let first = try #require(pulled.first { $0.message.id.description == id })
            #expect(text(first.message) == "größer" && first.message.kind == .string)
            #expect(first.message.publisherGroup == "p-pay" && first.message.deliverLimit == 7)
            #expect(first.message.properties == [.init("trace", "1"), .init("trace", "2")])
            #expect(first.attempt == 1 && first.visibleAgainAt > SystemTime.wall())
            let second = try #require(pulled.first { $0.message.kind == .bytes })
            #expect(Array(buffer: second.message.body) == [0, 255])
            let messaging = try fixture.messaging()
            #expect(
                messaging.acknowledge(group: "s-member", receipts: pulled.map(\.receipt)) == [.settled, .settled])
            try await fixture.until { $0.gauges.messages == 0 && $0.gauges.unflushed == 0 }
        }
    }

    @Test func eachMessageHasItsOwnVerdict() async throws {
        try await BrokerFixture.serving { fixture in
            let same = MessageID.random().description
            let outcomes = try await fixture.messaging().publish(
                [
                    NewMessage(id: "no id", topic: "trade", messageType: "paid", body: .text("")),
                    NewMessage(topic: "nobody", messageType: "paid", body: .text("")),
                    NewMessage(topic: "trade", messageType: "paid", body: .text(""), timeToLive: -1),
                    NewMessage(
                        topic: "trade", messageType: "paid", body: .text(String(repeating: "x", count: 2 << 20))),
                    NewMessage(topic: "trade", messageType: "unbound", body: .text("")),
                    NewMessage(id: same, topic: "trade", messageType: "paid", body: .text("a")),
                    NewMessage(id: same, topic: "trade", messageType: "paid", body: .text("a")),
                    NewMessage(id: same, topic: "trade", messageType: "paid", body: .text("b")),
                ], group: "p-pay")
            #expect(
                outcomes.map(\.verdict)
                    == [.refused, .refused, .refused, .refused, .accepted, .accepted, .accepted, .refused])
            #expect(outcomes.allSatisfy { !$0.feedback.isEmpty })
            #expect(try await pull(fixture).map { text($0.message) } == ["a"], "an id is one message")
            let topic = try #require(fixture.broker.status?.topics.first)
            #expect(topic.name == "trade" && topic.refused == 4 && topic.unrouted == 1 && topic.published == 2)
            #expect(try await fixture.messaging().publish([], group: "p-pay").isEmpty)
        }
    }

    @Test func aStoreThatDoesNotTakeItIsToldFromARule() async throws {
        let store = FaultyStore()
        try await BrokerFixture.serving(store: store) { fixture in
            let message = NewMessage(topic: "trade", messageType: "paid", body: .text(""))
            store.fail(StoreError(.refusesWrites, "the disk is full"))
            let refused = try await fixture.messaging().publish([message], group: "p-pay")
            #expect(refused.map(\.verdict) == [.tryAgain] && refused[0].feedback.contains("the disk is full"))
            store.failAfterInserting(StoreError(.unavailable, "gone", isOutcomeUnknown: true))
            #expect(try await fixture.messaging().publish([message], group: "p-pay").map(\.verdict) == [.unknown])
        }
    }

    // MARK: Pulling

    @Test func aPullReturnsAsSoonAsThereIsSomething() async throws {
        try await BrokerFixture.serving { fixture in
            async let pulled = pull(fixture)
            try await fixture.until { $0.gauges.waitingPulls == 1 }
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            #expect(try await producer.publish(.init(body: "now")).status)
            #expect(try await pulled.map { text($0.message) } == ["now"])
        }
    }

    @Test func aPullThatGetsNothingReturnsNothing() async throws {
        try await BrokerFixture.serving { fixture in
            let (waited, atOnce) = (
                try await pull(fixture, wait: .milliseconds(20)), try await pull(fixture, wait: .zero)
            )
            #expect(waited.isEmpty && atOnce.isEmpty)
            #expect(fixture.broker.status?.gauges.receipts == 0)
        }
    }

    @Test func aCallerThatGoesAwayLosesNothing() async throws {
        try await BrokerFixture.serving { fixture in
            let caller = Task { try await pull(fixture) }
            try await fixture.until { $0.gauges.waitingPulls == 1 }
            caller.cancel()
            await #expect(throws: CancellationError.self) { try await caller.value }
            #expect(fixture.broker.status?.gauges.waitingPulls == 0)
            let message = NewMessage(topic: "trade", messageType: "paid", body: .text("kept"))
            #expect(try await fixture.messaging().publish([message], group: "p-pay").map(\.verdict) == [.accepted])
            #expect(try await pull(fixture).map(\.attempt) == [1])
        }
    }

    /// Whatever the moment at which it goes: the message is in its hands, or not touched.
    @Test func aCallerThatGoesWhileItIsServedLosesNothing() async throws {
        try await BrokerFixture.serving { fixture in
            for number in 0..<50 {
                let caller = Task { try await pull(fixture) }
                try await fixture.until { $0.gauges.waitingPulls == 1 }
                async let published = fixture.messaging().publish(
                    [NewMessage(topic: "trade", messageType: "paid", body: .text("\(number)"))], group: "p-pay")
                if number % 2 == 0 { await Task.yield() }
                caller.cancel()
                var pulled: [PulledMessage]
                do { pulled = try await caller.value } catch is CancellationError { pulled = [] }
                #expect(try await published.map(\.verdict) == [.accepted])
                if pulled.isEmpty { pulled = try await pull(fixture) }
                #expect(pulled.map(\.attempt) == [1] && text(pulled[0].message) == "\(number)")
                let receipts = pulled.map(\.receipt)
                #expect(try fixture.messaging().acknowledge(group: "s-member", receipts: receipts) == [.settled])
            }
        }
    }

    @Test func whatIsNotAcknowledgedComesAgain() async throws {
        try await BrokerFixture.serving(configure: { $0.delivery.pull.visibility = 1_000_000...1_000_000_000_000 }) {
            fixture in
            let message = NewMessage(topic: "trade", messageType: "paid", body: .text("again"))
            _ = try await fixture.messaging().publish([message], group: "p-pay")
            let first = try await pull(fixture, visibility: .milliseconds(1))
            let second = try await pull(fixture)
            #expect(first.map(\.attempt) == [1] && second.map(\.attempt) == [2])
            let messaging = try fixture.messaging()
            #expect(messaging.acknowledge(group: "s-member", receipts: first.map(\.receipt)) == [.settled])
            #expect(messaging.acknowledge(group: "s-member", receipts: second.map(\.receipt)) == [.tooLate])
            #expect(fixture.broker.status?.groups.first?.counters.timedOut == 1)
        }
    }

    @Test func aRefusalComesAgainAtOnce() async throws {
        try await BrokerFixture.serving { fixture in
            let message = NewMessage(topic: "trade", messageType: "paid", body: .text("poison"), deliverLimit: 2)
            _ = try await fixture.messaging().publish([message], group: "p-pay")
            for attempt in 1...2 {
                let pulled = try await pull(fixture)
                #expect(pulled.map(\.attempt) == [attempt])
                let receipts = pulled.map(\.receipt)
                #expect(
                    try fixture.messaging().refuse(group: "s-member", receipts: receipts, reason: "cannot read it")
                        == [.settled])
            }
            try await fixture.until { $0.delivery.deadLettered == 1 && $0.gauges.unflushed == 0 }
            #expect(fixture.broker.status?.topics.first?.deadLettered == 1)
        }
    }

    @Test func receiptsAreGoodForTheirGroupAndTheirBrokerAlone() async throws {
        try await BrokerFixture.serving { fixture in
            let message = NewMessage(topic: "trade", messageType: "paid", body: .text(""))
            _ = try await fixture.messaging().publish([message], group: "p-pay")
            let receipt = try #require(try await pull(fixture).first?.receipt)
            let messaging = try fixture.messaging()
            #expect(messaging.acknowledge(group: "another", receipts: [receipt]) == [.notYours])
            let parsed = try #require(Receipt(receipt))
            #expect(parsed.description == receipt)
            var changed = parsed
            changed.broker = "elsewhere:13800"
            var guessed = parsed
            guessed.delivery.key &+= 1
            var earlier = parsed
            earlier.incarnation -= 1
            let outcomes = messaging.acknowledge(
                group: "s-member",
                receipts: ["", "nonsense", "1-2-3~x", "\(changed)", "\(guessed)", "\(earlier)", receipt, receipt])
            #expect(
                outcomes == [
                    .malformed, .malformed, .malformed, .otherBroker(name: "elsewhere:13800"), .tooLate, .tooLate,
                    .settled, .tooLate,
                ])
        }
    }

    @Test func aGroupWithoutPersistenceIsServedWhileItPulls() async throws {
        let bindings = [Binding(group: "v", topic: "trade", messageType: "paid", persistent: false)]
        try await BrokerFixture.serving(bindings) { fixture in
            let message = NewMessage(topic: "trade", messageType: "paid", body: .text("kept between two pulls"))
            #expect(try await pull(fixture, "v", wait: .zero).isEmpty)
            #expect(try await fixture.messaging().publish([message], group: "p-pay")[0].feedback == "stored")
            #expect(try await pull(fixture, "v").count == 1)
            let receipts = try await pullNothing(fixture)
            #expect(receipts == 1, "it is here as long as it has receipts")
        }
    }

    /// The receipts of the group while nobody waits.
    private func pullNothing(_ fixture: BrokerFixture) async throws -> Int {
        try await fixture.until { $0.gauges.waitingPulls == 0 }
        return fixture.broker.status?.groups.first { $0.name == "v" && $0.isPresent }?.receipts ?? 0
    }

    @Test func aGroupThatPullsNoMoreIsGone() async throws {
        let bindings = [Binding(group: "v", topic: "trade", messageType: "paid", persistent: false)]
        try await BrokerFixture.serving(bindings, configure: { $0.delivery.pull.lingering = 1_000_000 }) { fixture in
            #expect(try await pull(fixture, "v", wait: .zero).isEmpty)
            try await fixture.until { !($0.groups.first { $0.name == "v" }?.isPresent ?? false) }
            let message = NewMessage(topic: "trade", messageType: "paid", body: .text(""))
            let outcomes = try await fixture.messaging().publish([message], group: "p-pay")
            #expect(outcomes[0].verdict == .accepted && outcomes[0].feedback.contains("no group"))
        }
    }

    @Test func limitsAreToldAsSuch() async throws {
        try await BrokerFixture.serving(configure: { $0.delivery.pull.waitingOfGroup = 1 }) { fixture in
            let waiting = Task { try await pull(fixture) }
            try await fixture.until { $0.gauges.waitingPulls == 1 }
            let error = await #expect(throws: MessagingError.self) { try await pull(fixture) }
            #expect(error?.code == .tooMany)
            let invalid = await #expect(throws: MessagingError.self) { try await pull(fixture, "") }
            #expect(invalid?.code == .invalid)
            waiting.cancel()
            _ = await waiting.result
        }
    }

    // MARK: Stopping

    @Test func aStopEndsPullsAtOnceAndTakesTheirAnswers() async throws {
        let store = InMemoryMessageStore()
        try await BrokerFixture.serving(store: store, configure: { $0.drainTimeout = .seconds(30) }) { fixture in
            let message = NewMessage(topic: "trade", messageType: "paid", body: .text(""))
            _ = try await fixture.messaging().publish([message], group: "p-pay")
            let pulled = try await pull(fixture)
            let messaging = try fixture.messaging()
            let waiting = Task { try await pull(fixture) }
            try await fixture.until { $0.gauges.waitingPulls == 1 }
            await fixture.stop()
            let error = await #expect(throws: MessagingError.self) { try await waiting.value }
            #expect(error?.code == .stopping)
            let late = await #expect(throws: MessagingError.self) {
                try await messaging.pull(group: "s-member", max: 1, wait: .zero, visibility: .seconds(1))
            }
            #expect(late?.code == .stopping)
            #expect(await messaging.publish([message], group: "p-pay").map(\.verdict) == [.tryAgain])
            #expect(messaging.acknowledge(group: "s-member", receipts: pulled.map(\.receipt)) == [.settled])
        }
        #expect(store.isEmpty, "the acknowledgement was written")
    }

    // MARK: Bindings

    @Test func aBindingThatIsDeclaredComesIntoForce() async throws {
        let registry = StaticRegistry(bindings: [])
        try await BrokerFixture.serving(registry: registry) { fixture in
            let messaging = try fixture.messaging()
            try await messaging.declare(bindings: [.fanout(group: "s-new", topic: "trade")], group: "s-new")
            try await fixture.until { $0.groups.contains { $0.name == "s-new" && $0.isBound } }
            let message = NewMessage(topic: "trade", messageType: "any", body: .text("for the new one"))
            _ = await messaging.publish([message], group: "p-pay")
            #expect(try await pull(fixture, "s-new").map { text($0.message) } == ["for the new one"])
            for (bindings, group) in [
                ([Binding.fanout(group: "s-other", topic: "trade")], "s-new"),
                ([Binding(group: "s-new", topic: "trade", messageType: "(", kind: .regx)], "s-new"),
                ([Binding(group: "s-new", topic: "", messageType: "x")], "s-new"), ([], ""),
            ] {
                let error = await #expect(throws: MessagingError.self) {
                    try await messaging.declare(bindings: bindings, group: group)
                }
                #expect(error?.code == .invalid)
            }
        }
    }

    /// Else whoever declares a name that ZooKeeper cannot hold would be told to try again, for ever.
    @Test func aNameThatTheRegistryCannotHoldIsTheCallersMistake() {
        #expect(MessagingError(RegistryError(.invalid, "The topic 'a/b' contains a '/'.")).code == .invalid)
        #expect(MessagingError(RegistryError(.unavailable, "ZooKeeper does not answer.")).code == .unavailable)
    }
}
