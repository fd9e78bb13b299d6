import KiteQCore
import KiteQStore
import KiteQWire
import Testing

@testable import KiteQBroker

/// The lines of docs/threat-model.md about who sends: ids that are another's, and headers that name another.
@Suite(.timeLimit(.minutes(3))) struct ThreatModelSenderTests {
    private static let bindings = ["trade", "feed"].flatMap { topic in
        ["paid", "sent"].map { Binding(group: "s-\(topic)-reader", topic: topic, messageType: $0) }
    }

    /// Two groups that may publish, each to a topic of its own and both to one.
    private static func access(_ change: (inout [String: GroupAccess]) -> Void = { _ in }) -> AccessRules {
        func only(_ topics: String...) -> TopicRights { .only(Set(topics.map(BindingName.init))) }
        var groups = [
            "s-pay": GroupAccess(secrets: [.plain("pay")], publish: only("trade"), subscribe: only()),
            "s-feed": GroupAccess(secrets: [.plain("feed")], publish: only("feed", "trade"), subscribe: only()),
            "s-trade-reader": GroupAccess(secrets: [.plain("read")], publish: only(), subscribe: only("trade")),
            "s-feed-reader": GroupAccess(secrets: [.plain("read")], publish: only(), subscribe: only("feed")),
        ]
        change(&groups)
        return AccessRules(
            groups: Dictionary(uniqueKeysWithValues: groups.map { (BindingName($0.key), $0.value) }),
            requiresSecret: true, defaultRights: .none)
    }

    private static func serving(
        access: AccessRules? = access(), configure: (inout BrokerConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (BrokerFixture, _ attacker: WireClient, _ victim: WireClient) async throws -> Void
    ) async throws {
        try await BrokerFixture.serving(
            bindings,
            configure: {
                $0.topics = ["trade", "feed"]
                if let access { $0.access = access }
                configure(&$0)
            }
        ) { fixture in
            let attacker = try await WireClient.greeted("s-feed", at: fixture.address, secret: "feed")
            let victim = try await WireClient.greeted("s-pay", at: fixture.address, secret: "pay")
            try await body(fixture, attacker, victim)
        }
    }

    private static func publish(
        _ id: String, _ topic: String, _ group: String, _ body: String, half: Bool = false, type: String = "paid"
    ) -> WireClient.Publish {
        .init(id: id, topic: topic, type: type, group: group, body: body, isCommitted: !half)
    }

    // MARK: Squatted ids

    /// Before it is done and after: a true ack is for the message that it names, and says nothing of another's.
    @Test(arguments: [("feed", "paid"), ("trade", "paid"), ("trade", "sent")])
    func aSquattedIDKeepsNobodysMessage(topic: String, type: String) async throws {
        try await Self.serving { fixture, attacker, victim in
            let id = MessageID.random().description
            #expect(try await attacker.publish(Self.publish(id, topic, "s-feed", "squat", type: type)).status)
            let own = Self.publish(id.uppercased(), "trade", "s-pay", "mine")
            let ack = try await victim.publish(own)
            #expect(
                !ack.status && ack.feedback == "this id is in use for another message: publish under a new id",
                "\(ack)")
            let reader = try await WireClient.greeted("s-\(topic)-reader", at: fixture.address, secret: "read")
            try await reader.acknowledge(try await reader.delivery())
            try await fixture.until { $0.delivery.acknowledged == 1 && $0.gauges.unflushed == 0 }
            // The squatter's is done and remembered, and the victim's is not it.
            let later = try await victim.publish(own)
            #expect(later.status && later.feedback == "stored", "\(later)")
            let readers = try await WireClient.greeted("s-trade-reader", at: fixture.address, secret: "read")
            let delivered = topic == "trade" ? try await reader.delivery() : try await readers.delivery()
            #expect(delivered.body == "mine" && delivered.header.groupID == "s-pay")
        }
    }

    @Test func aSquattedHalfMessageIsNotCommittedByAnother() async throws {
        try await Self.serving { fixture, attacker, victim in
            for squatsHalf in [true, false] {
                let id = MessageID.random().description
                #expect(
                    try await attacker.publish(Self.publish(id, "trade", "s-feed", "squat", half: squatsHalf)).status)
                let own = Self.publish(id, "trade", "s-pay", "mine", half: true)
                let ack = try await victim.publish(own)
                #expect(!ack.status && ack.feedback.contains("another message"), "\(ack)")
                let refused = fixture.broker.status?.transactions.refused.count ?? 0
                try await victim.decide(own, TransactionAck.Status.commit)
                if squatsHalf { try await fixture.until { $0.transactions.refused.count == refused + 1 } }
            }
            #expect(fixture.broker.status?.transactions.committed.count == 0)
        }
    }

    /// A half message's memory outlives it by an hour: what it says is about that message alone.
    @Test func aSquattersDecidedHalfMessageIsNoAnswerToAnother() async throws {
        try await Self.serving { fixture, attacker, victim in
            for status in [TransactionAck.Status.commit, TransactionAck.Status.rollBack] {
                let id = MessageID.random().description
                let squat = Self.publish(id, "feed", "s-feed", "squat", half: true)
                #expect(try await attacker.publish(squat).status)
                try await attacker.decide(squat, status)
                if status == TransactionAck.Status.commit {
                    let reader = try await WireClient.greeted("s-feed-reader", at: fixture.address, secret: "read")
                    try await reader.acknowledge(try await reader.delivery())
                    try await fixture.until { $0.delivery.acknowledged == 1 && $0.gauges.unflushed == 0 }
                } else {
                    try await fixture.until { $0.transactions.rolledBack.count == 1 }
                }
                let ack = try await victim.publish(Self.publish(id, "trade", "s-pay", "mine", half: true))
                #expect(!ack.status && ack.feedback.contains("another message"), "\(ack)")
                #expect(try await victim.publish(Self.publish(id, "trade", "s-pay", "mine")).feedback == "stored")
            }
        }
    }

    /// An id that a group uses again itself: what is not the same message is told so, or lives; none is lost with a true ack.
    @Test func anIDUsedAgainByItsOwnGroupIsNotLostEither() async throws {
        try await Self.serving { fixture, _, victim in
            let id = MessageID.random().description
            let first = Self.publish(id, "trade", "s-pay", "first")
            #expect(try await victim.publish(first).feedback == "stored")
            #expect(try await victim.publish(first).feedback == "stored before")
            let changed = try await victim.publish(Self.publish(id, "trade", "s-pay", "second"))
            #expect(!changed.status && changed.feedback.contains("another body"), "\(changed)")
            let reader = try await WireClient.greeted("s-trade-reader", at: fixture.address, secret: "read")
            try await reader.acknowledge(try await reader.delivery())
            try await fixture.until { $0.delivery.acknowledged == 1 && $0.gauges.unflushed == 0 }
            #expect(try await victim.publish(first).feedback == "stored before, and done")
            #expect(try await victim.publish(Self.publish(id, "trade", "s-pay", "second")).feedback == "stored")
            #expect(try await reader.delivery().body == "second")
        }
    }

    /// A broker has half messages in memory, by their ids; an id may be another message's later, which another broker took.
    @Test func whatIsInMemoryIsNotDeliveredInPlaceOfALaterMessage() async throws {
        let store = InMemoryMessageStore()
        let forgetful: @Sendable (inout BrokerConfiguration) -> Void = {
            $0.transactionRetention = .milliseconds(1)
            $0.recoveryInterval = .milliseconds(10)
        }
        try await BrokerFixture.serving(store: store.session(), configure: forgetful) { one in
            try await BrokerFixture.serving(
                store: store.session(),
                configure: {
                    forgetful(&$0)
                    $0.name = "two"
                }
            ) { two in
                let here = try await WireClient.greeted("p-pay", at: one.address)
                let there = try await WireClient.greeted("p-pay", at: two.address)
                let consumer = try await WireClient.greeted("s-member", at: one.address)
                let first = WireClient.Publish(body: "first", isCommitted: false)
                #expect(try await here.publish(first).status)
                try await there.decide(first, TransactionAck.Status.rollBack)
                try await two.until { $0.transactions.rolledBack.count == 1 }
                var second = first
                second.body = "second"
                // As soon as the roll back is forgotten.
                while try await !there.publish(second).status {}
                #expect(one.broker.status?.halfMessages.items == 1, "the first is in its memory")
                try await here.decide(second, TransactionAck.Status.commit)
                #expect(try await consumer.delivery().body == "second")
            }
        }
    }

    // MARK: Forged headers

    @Test func aForgedSenderIsRefused() async throws {
        try await Self.serving { fixture, attacker, _ in
            for half in [false, true] {
                for name in ["s-pay", "", "S-FEED", "s-feed "] {
                    let ack = try await attacker.publish(
                        Self.publish(MessageID.random().description, "trade", name, "forged", half: half))
                    #expect(!ack.status, "\(name)")
                    if !name.isEmpty { #expect(ack.feedback.contains("may not publish as group \(name)"), "\(ack)") }
                }
            }
            var fly = Self.publish(MessageID.random().description, "trade", "s-pay", "forged")
            fly.isFly = true
            #expect(try await !attacker.publish(fly).status)
            #expect(fixture.broker.status?.publishing.stored.count == 0)
            #expect(
                try await attacker.publish(Self.publish(MessageID.random().description, "trade", "s-feed", "own"))
                    .status, "the connection is kept")
        }
    }

    /// A gateway, or a client library whose applications set the header.
    @Test func whoMaySpeakForAGroupMayNameIt() async throws {
        let access = Self.access { $0["s-feed"]?.speaksFor = [BindingName("s-legacy")] }
        try await Self.serving(access: access) { fixture, attacker, _ in
            let id = MessageID.random().description
            #expect(try await attacker.publish(Self.publish(id, "trade", "s-legacy", "for it")).status)
            #expect(try await !attacker.publish(Self.publish(id, "trade", "s-pay", "for it")).status)
            let reader = try await WireClient.greeted("s-trade-reader", at: fixture.address, secret: "read")
            #expect(try await reader.delivery().header.groupID == "s-legacy")
        }
    }

    private static func asksSoon(_ configuration: inout BrokerConfiguration) {
        configuration.transactions = TransactionSchedule(firstAfter: 10, longest: 10, maxChecks: 1_000)
        configuration.recoveryInterval = .milliseconds(10)
    }

    /// A question about a message shows its header, and the answer what the asked group's tables hold.
    @Test func onlyThePublishersGroupIsAsked() async throws {
        let access = Self.access { $0["s-feed"]?.speaksFor = [BindingName("s-pay")] }
        try await Self.serving(
            access: access,
            configure: Self.asksSoon
        ) { fixture, attacker, victim in
            // It publishes half messages itself, so it can be asked.
            let own = Self.publish(MessageID.random().description, "trade", "s-pay", "mine", half: true)
            #expect(try await victim.publish(own).status)
            try await victim.decide(own, TransactionAck.Status.rollBack)
            try await fixture.until { $0.transactions.rolledBack.count == 1 }
            let half = Self.publish(MessageID.random().description, "trade", "s-pay", "spoken for", half: true)
            #expect(try await attacker.publish(half).status)
            let asked = fixture.broker.status?.transactions.asked.count ?? 0
            try await fixture.until { $0.transactions.asked.count >= asked + 5 }
            let question = try TransactionAck(decoding: try await attacker.next(.txAck).body)
            #expect(try MessageHeaderView(decoding: question.header).messageID == half.id)
            // Unasked, it has no say either.
            try await victim.decide(half, TransactionAck.Status.commit)
            try await fixture.until { $0.transactions.refused.count == 1 }
            #expect(try !victim.questions().contains(half.id))
            try await attacker.decide(half, TransactionAck.Status.commit)
            try await fixture.until { $0.transactions.committed.count == 1 }
        }
    }

    /// Where nobody shows who he is the header counts, as the protocol has it.
    @Test func withoutGroupsTheHeadersGroupIsAskedToo() async throws {
        try await Self.serving(
            access: nil,
            configure: Self.asksSoon
        ) { fixture, application, other in
            let half = Self.publish(MessageID.random().description, "trade", "s-pay", "java's", half: true)
            #expect(try await application.publish(half).status)
            try await application.close()
            let own = Self.publish(MessageID.random().description, "trade", "s-pay", "own", half: true)
            #expect(try await other.publish(own).status)
            try await other.decide(own, TransactionAck.Status.rollBack)
            while true {
                let question = try TransactionAck(decoding: try await other.next(.txAck).body)
                if try MessageHeaderView(decoding: question.header).messageID == half.id { break }
            }
            try await other.decide(half, TransactionAck.Status.commit)
            try await fixture.until { $0.transactions.committed.count == 1 }
        }
    }
}
