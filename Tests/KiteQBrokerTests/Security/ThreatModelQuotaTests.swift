import KiteQCore
import KiteQStore
import KiteQWire
import NIOCore
import Testing

@testable import KiteQBroker

/// Groups that take more than their part; the lines of docs/threat-model.md by the names they have there.
@Suite(.timeLimit(.minutes(3))) struct ThreatModelQuotaTests {
    private static func rules(_ limits: GroupLimits, _ groups: [String: GroupAccess] = [:]) -> AccessRules {
        AccessRules(
            groups: Dictionary(uniqueKeysWithValues: groups.map { (BindingName($0.key), $0.value) }),
            defaultLimits: limits)
    }

    private static func settings(_ access: AccessRules) throws -> SessionSettings {
        var configuration = BrokerConfiguration()
        configuration.topics = ["trade"]
        configuration.access = access
        return try SessionSettings(configuration)
    }

    /// So many publishes in one write; returns the feedback of those that were refused.
    private static func flood(
        _ client: WireClient, _ count: Int, group: String = "p-pay", body: String = "x"
    ) async throws -> [String] {
        var buffer = ByteBuffer()
        for number in 0..<count {
            try PacketWriter.writeDelivery(
                into: &buffer, framing: .plain, opaque: Int32(number), version: 0, extension: 0,
                command: .stringMessage, header: WireClient.Publish(group: group).header(),
                body: ByteBuffer(string: body), extra: nil)
        }
        try await client.send(buffer)
        var refused: [String] = []
        for _ in 0..<count {
            let ack = try StoreAck(decoding: try await client.next(.messageStoreAck).body)
            if !ack.status { refused.append(ack.feedback) }
        }
        return refused
    }

    @Test func aGroupHasItsShareOfConnections() async throws {
        let rules = Self.rules(
            GroupLimits(connections: 2),
            [
                "p-pay": GroupAccess(secrets: [.plain("right")]),
                "p-many": GroupAccess(secrets: [.plain("right")], limits: OwnGroupLimits(connections: 3)),
            ])
        try await BrokerFixture.serving(configure: { $0.access = rules }) { fixture in
            let first = try await WireClient.greeted("p-pay", at: fixture.address, secret: "right")
            _ = try await WireClient.greeted("p-pay", at: fixture.address, secret: "right")
            let third = try await WireClient.connect(to: fixture.address)
            let answer = try await third.greet("p-pay", secret: "right")
            #expect(!answer.status)
            #expect(
                answer.feedback
                    == "try again later: group p-pay has 2 connections or more at this broker (max_connections)")
            try await third.closed()
            // Whoever does not know the secret learns nothing of how many there are.
            let wrong = try await WireClient.connect(to: fixture.address).greet("p-pay", secret: "wrong")
            #expect(wrong.feedback.contains("is not let in"))
            for _ in 0..<3 { _ = try await WireClient.greeted("p-many", at: fixture.address, secret: "right") }
            #expect(fixture.broker.status?.refusals["group_connections"] == 1)
            try await first.close()
            try await fixture.until { $0.connections == 4 }
            _ = try await WireClient.greeted("p-pay", at: fixture.address, secret: "right")
        }
    }

    @Test func aGroupHasItsShareOfPublishes() async throws {
        let rules = Self.rules(GroupLimits(rate: 20), ["p-calm": GroupAccess(limits: OwnGroupLimits(rate: 0))])
        try await BrokerFixture.serving(configure: { $0.access = rules }) { fixture in
            let client = try await WireClient.greeted("p-pay", at: fixture.address)
            let refused = try await Self.flood(client, 200)
            #expect((150...190).contains(refused.count), "\(refused.count) of 200")
            let why = "try again later: group p-pay may publish 20 messages a second (max_rate)"
            #expect(refused.allSatisfy { $0 == why })
            #expect(fixture.broker.status?.refusals["group_rate"] == refused.count)
            #expect(fixture.broker.status?.refusedConnections == 0)
            // Another connection of the group does not begin anew, nor does who leaves and comes back.
            let second = try await WireClient.greeted("p-pay", at: fixture.address)
            #expect(try await Self.flood(second, 100).count > 70)
            try await client.close()
            try await second.close()
            try await fixture.until { $0.connections == 0 }
            let back = try await WireClient.greeted("p-pay", at: fixture.address)
            #expect(try await Self.flood(back, 100).count > 70)
            // Nor is another group held up.
            let calm = try await WireClient.greeted("p-calm", at: fixture.address)
            #expect(try await Self.flood(calm, 200, group: "p-calm").isEmpty)
            // Over HTTP it is the same group.
            let outcomes = await (try fixture.messaging()).publish(
                (0..<100).map { _ in NewMessage(topic: "trade", messageType: "paid", body: .text("x")) }, group: "p-pay"
            )
            let later = outcomes.filter { $0.verdict == .tryAgain && $0.feedback == why }
            #expect(later.count > 70 && later.count + outcomes.count { $0.verdict == .accepted } == 100)
            fixture.broker.reload(try Self.settings(AccessRules()))
            #expect(try await Self.flood(back, 200).isEmpty, "without a restart, and on a connection that was there")
        }
    }

    @Test func aGroupHasItsShareOfBytes() async throws {
        try await BrokerFixture.serving(configure: { $0.access = Self.rules(GroupLimits(bytes: 1 << 20)) }) { fixture in
            let client = try await WireClient.greeted("p-pay", at: fixture.address)
            let refused = try await Self.flood(client, 8, body: String(repeating: "x", count: 1 << 20))
            #expect((3...7).contains(refused.count), "\(refused.count) of 8")
            #expect(
                refused.allSatisfy {
                    $0 == "try again later: group p-pay may publish 1048576 bytes a second (max_bytes)"
                })
            #expect(fixture.broker.status?.refusals["group_bytes"] == refused.count)
        }
    }

    @Test func whoIsLetInLeavesPlacesForThoseWhoAreNot() async throws {
        try await BrokerFixture.serving(configure: { $0.maxConnections = 4 }) { fixture in
            let first = try await WireClient.greeted("p-pay", at: fixture.address)
            _ = try await WireClient.greeted("p-pay", at: fixture.address)
            let third = try await WireClient.connect(to: fixture.address)
            let answer = try await third.greet("p-other")
            #expect(
                !answer.status && answer.feedback.hasPrefix("try again later, or at another broker: it has 2 clients"))
            try await third.closed()
            #expect(fixture.broker.status?.refusals["too_many"] == 1)
            #expect(fixture.broker.status?.connectionsByGroup == ["p-pay": 2])
            try await first.close()
            try await fixture.until { $0.connections == 1 }
            _ = try await WireClient.greeted("p-other", at: fixture.address)
        }
    }

    @Test func aGroupHasItsShareOfHalfMessages() async throws {
        let store = InMemoryMessageStore()
        try await BrokerFixture.serving(
            store: store.session(),
            configure: {
                $0.access = Self.rules(GroupLimits(halfMessages: 3))
                $0.recoveryInterval = .milliseconds(20)
            }
        ) { fixture in
            func half() -> WireClient.Publish { WireClient.Publish(isCommitted: false) }
            let client = try await WireClient.greeted("p-pay", at: fixture.address)
            var published: [WireClient.Publish] = []
            for _ in 0..<3 {
                published.append(half())
                #expect(try await client.publish(published[published.count - 1]).status)
            }
            let refused = try await client.publish(half())
            #expect(
                refused.feedback
                    == "try again later: group p-pay has 3 half messages that are not decided, and may have 3 (max_half_messages)"
            )
            #expect(!refused.status && fixture.broker.status?.refusals["group_half_messages"] == 1)
            #expect(try await client.publish(.init()).status, "others are taken")
            let other = try await WireClient.greeted("p-other", at: fixture.address)
            #expect(try await other.publish(.init(group: "p-other", isCommitted: false)).status)
            // One that is decided here makes room at once,
            try await client.decide(published[0], TransactionAck.Status.rollBack)
            try await fixture.until { $0.transactions.rolledBack.count == 1 }
            #expect(try await client.publish(half()).status)
            #expect(try await !client.publish(half()).status)
            // and one that was decided elsewhere soon.
            let id = try #require(MessageID(published[1].id))
            _ = try await store.session().decide(id, .rollBack, to: [], route: { _, _ in nil })
            var ack = try await client.publish(half())
            while !ack.status {
                try await Task.sleep(for: .milliseconds(10))
                ack = try await client.publish(half())
            }
            // To come back as another connection changes nothing.
            let again = try await WireClient.greeted("p-pay", at: fixture.address)
            #expect(try await !again.publish(half()).status)
        }
        // Nor does it to go to another broker, which learns of them from the store.
        try await BrokerFixture.serving(
            store: store.session(),
            configure: {
                $0.name = "another"
                $0.access = Self.rules(GroupLimits(halfMessages: 3))
            }
        ) { fixture in
            let client = try await WireClient.greeted("p-pay", at: fixture.address)
            // Until it has asked: what is taken before is taken back, so that none of this broker's own is in the way.
            while true {
                let half = WireClient.Publish(isCommitted: false)
                guard try await client.publish(half).status else { break }
                try await client.decide(half, TransactionAck.Status.rollBack)
            }
        }
    }

    @Test func aGroupThatDoesNotConsumeIsPublishedNothingMore() async throws {
        let bindings = [
            Binding(group: "s-slow", topic: "trade", messageType: "paid"),
            Binding(group: "s-member", topic: "trade", messageType: "other"),
        ]
        let rules = Self.rules(GroupLimits(), ["s-slow": GroupAccess(limits: OwnGroupLimits(backlog: 5))])
        try await BrokerFixture.serving(
            bindings,
            configure: {
                $0.access = rules
                $0.recoveryInterval = .milliseconds(20)
            }
        ) { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let half = WireClient.Publish(isCommitted: false)
            #expect(try await producer.publish(half).status)
            var ack = try await producer.publish(.init())
            var taken = 0
            while ack.status {
                taken += 1
                try await Task.sleep(for: .milliseconds(5))
                ack = try await producer.publish(.init())
            }
            #expect(taken >= 5)
            let why = "try again later: group s-slow has 5 messages waiting or more (max_backlog)"
            #expect(ack.feedback == why)
            #expect(fixture.broker.status?.refusals["group_backlog"] == 1)
            #expect(try await producer.publish(.init(isCommitted: false)).feedback == why)
            #expect(try await producer.publish(.init(type: "other")).status, "what is not for it is taken")
            // A commit of what was taken before is one.
            try await producer.decide(half, TransactionAck.Status.commit)
            try await fixture.until { $0.transactions.committed.count == 1 }
            let consumer = try await WireClient.greeted("s-slow", at: fixture.address)
            for _ in 0...taken { try await consumer.acknowledge(try await consumer.delivery()) }
            ack = try await producer.publish(.init())
            while !ack.status {
                try await Task.sleep(for: .milliseconds(10))
                ack = try await producer.publish(.init())
            }
        }
    }
}
