import KiteQCore
import KiteQWire
import NIOCore
import NIOSSL
import TestSupport
import Testing

@testable import KiteQBroker

/// The lines of docs/threat-model.md that a broker in this process can show, each by the name it has there.
@Suite(.timeLimit(.minutes(3))) struct ThreatModelTests {
    static func rules(_ groups: [String: GroupAccess], requires: Bool = true) -> AccessRules {
        AccessRules(
            groups: Dictionary(uniqueKeysWithValues: groups.map { (BindingName($0.key), $0.value) }),
            requiresSecret: requires)
    }

    static func hashed(_ secret: String) -> GroupAccess {
        GroupAccess(secrets: [.hashed(SecretHash(of: secret, rounds: 1_000))])
    }

    // MARK: Before the handshake

    @Test func nothingButAGreetingIsTakenFirst() async throws {
        try await BrokerFixture.serving { fixture in
            let publishing = try await WireClient.connect(to: fixture.address)
            var publish = ByteBuffer()
            try PacketWriter.writeDelivery(
                into: &publish, framing: .plain, opaque: 1, version: 0, extension: 0, command: .stringMessage,
                header: WireClient.Publish().header(), body: ByteBuffer(string: "x"), extra: nil)
            try await publishing.send(publish)
            #expect(try ConnAuthAck(decoding: try await publishing.next(.connAuth).body).status == false)
            try await publishing.closed()
            for bytes in [Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8), [UInt8](repeating: 0xFF, count: 64)] {
                let client = try await WireClient.connect(to: fixture.address)
                try await client.send(ByteBuffer(bytes: bytes))
                try await client.closed()
            }
            #expect(fixture.broker.status?.publishing.stored.count == 0)
            #expect(fixture.broker.status?.refusals["handshake"] == 3)
        }
    }

    @Test func aGreetingOfMegabytesIsNotWaitedFor() async throws {
        try await BrokerFixture.serving { fixture in
            let client = try await WireClient.connect(to: fixture.address)
            // CONN_META that announces 1 MiB, of which nothing comes.
            try await client.send(ByteBuffer(bytes: [0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0]))
            #expect(try ConnAuthAck(decoding: try await client.next(.connAuth).body).status == false)
            try await client.closed()
        }
    }

    @Test func whatComesBeforeTheVerdictIsBoundedAndAnsweredAfterIt() async throws {
        let rules = Self.rules(["p-pay": Self.hashed("right")])
        try await BrokerFixture.serving(configure: { $0.access = rules }) { fixture in
            // The greeting and publishes in one write: the verdict takes longer than they do.
            func eager(_ secret: String, bodies: Int) throws -> ByteBuffer {
                var buffer = ByteBuffer()
                try PacketWriter.writeConnMeta(
                    into: &buffer, framing: .plain, opaque: 1, ConnMeta(groupID: "p-pay", secretKey: secret))
                for _ in 0..<bodies {
                    try PacketWriter.writeDelivery(
                        into: &buffer, framing: .plain, opaque: 2, version: 0, extension: 0, command: .stringMessage,
                        header: WireClient.Publish().header(),
                        body: ByteBuffer(string: String(repeating: "x", count: 500)),
                        extra: nil)
                }
                return buffer
            }
            let right = try await WireClient.connect(to: fixture.address)
            try await right.send(eager("right", bodies: 2))
            #expect(try ConnAuthAck(decoding: try await right.next(.connAuth).body).status)
            for _ in 0..<2 { #expect(try StoreAck(decoding: try await right.next(.messageStoreAck).body).status) }
            let wrong = try await WireClient.connect(to: fixture.address)
            try await wrong.send(eager("wrong", bodies: 2))
            #expect(try ConnAuthAck(decoding: try await wrong.next(.connAuth).body).status == false)
            try await wrong.closed()
            #expect(fixture.broker.status?.publishing.stored.count == 2)
            // Packets without a body take memory, too. A long greeting makes the reads large that such packets come in.
            let flood = try await WireClient.connect(to: fixture.address)
            var buffer = try eager(String(repeating: "s", count: 15_000), bodies: 0)
            for _ in 0..<4_000 {
                try PacketWriter.writePacket(
                    into: &buffer, framing: .plain, opaque: 3, command: .deliverAck, body: ByteBuffer())
            }
            try await flood.send(buffer)
            let ack = try ConnAuthAck(decoding: try await flood.next(.connAuth).body)
            #expect(!ack.status && ack.feedback == "it sends before it is let in", "\(ack.feedback)")
            try await flood.closed()
        }
    }

    /// What waits for its verdict is one for each connection, however often it asks.
    @Test func aGreetingIsNotRepeatedBeforeItsAnswer() async throws {
        let rules = Self.rules(["p-pay": Self.hashed("right")])
        try await BrokerFixture.serving(configure: { $0.access = rules }) { fixture in
            let client = try await WireClient.greeted("p-pay", at: fixture.address, secret: "right")
            // What is known is answered at once, as often as it is asked.
            for _ in 0..<3 { #expect(try await client.greet("p-pay", secret: "right").status) }
            var buffer = ByteBuffer()
            for secret in ["wrong", "wrong too"] {
                try PacketWriter.writeConnMeta(
                    into: &buffer, framing: .plain, opaque: 1, ConnMeta(groupID: "p-pay", secretKey: secret))
            }
            try await client.send(buffer)
            let ack = try ConnAuthAck(decoding: try await client.next(.connAuth).body)
            #expect(!ack.status && ack.feedback == "it repeats CONN_META before the one before it is answered")
            try await client.closed()
        }
    }

    // MARK: Forged groups

    @Test func aForgedGroupIsNotLetInAndLearnsNothing() async throws {
        let rules = Self.rules(["p-pay": Self.hashed("right"), "p-plain": GroupAccess(secrets: [.plain("right")])])
        let log = CapturedLog()
        try await BrokerFixture.serving(logger: log.logger, configure: { $0.access = rules }) { fixture in
            var sentences: Set<String> = []
            for (group, secret) in [
                ("p-pay", "wr0ng-1"), ("p-pay", ""), ("p-plain", "wr0ng-2"), ("p-nobody", "wr0ng-3"),
                ("p-nobody", "right"),
            ] {
                let client = try await WireClient.connect(to: fixture.address)
                let ack = try await client.greet(group, secret: secret)
                #expect(!ack.status)
                sentences.insert(ack.feedback.replacing(group, with: "GROUP"))
                try await client.closed()
            }
            #expect(sentences.count == 1, "known and unknown sound the same: \(sentences)")
            let client = try await WireClient.greeted("p-pay", at: fixture.address, secret: "right")
            #expect(try await client.publish(.init()).status)
            #expect(fixture.broker.status?.refusals["credentials"] == 5)
        }
        #expect(!log.lines.contains { $0.contains("wr0ng") || $0.contains("secretKey") }, "no secret is logged")
    }

    @Test func twentyThousandReconnectsAreOneComparison() async throws {
        // In small: what is remembered is told by GatekeeperTests.
        let rules = Self.rules(["p-pay": GroupAccess(secrets: [.hashed(SecretHash(of: "right", rounds: 200_000))])])
        try await BrokerFixture.serving(configure: { $0.access = rules }) { fixture in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<200 {
                    tasks.addTask { _ = try await WireClient.greeted("p-pay", at: fixture.address, secret: "right") }
                }
                try await tasks.waitForAll()
            }
            #expect(fixture.broker.status?.connectionsByGroup["p-pay"] == 200)
        }
    }

    // MARK: What is another group's

    @Test func anotherConnectionsDeliveryCannotBeAcknowledged() async throws {
        try await BrokerFixture.serving { fixture in
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            #expect(try await producer.publish(.init(body: "mine")).status)
            let delivered = try await consumer.delivery()
            let stranger = try await WireClient.greeted("s-other", at: fixture.address)
            let colleague = try await WireClient.greeted("s-member", at: fixture.address)
            for thief in [stranger, colleague] { try await thief.acknowledge(delivered) }
            try await fixture.until { $0.delivery.unknownAcknowledgements == 2 }
            #expect(fixture.broker.status?.delivery.acknowledged == 0)
            #expect(fixture.broker.status?.gauges.inFlight == 1)
            try await consumer.acknowledge(delivered)
            try await fixture.until { $0.delivery.acknowledged == 1 }
        }
    }

    @Test func anotherGroupsTransactionCannotBeDecided() async throws {
        let rules = Self.rules([
            "p-pay": Self.hashed("one"), "p-evil": Self.hashed("two"), "s-member": Self.hashed("three"),
        ])
        try await BrokerFixture.serving(configure: { $0.access = rules }) { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address, secret: "one")
            let thief = try await WireClient.greeted("p-evil", at: fixture.address, secret: "two")
            let half = WireClient.Publish(body: "mine", isCommitted: false)
            #expect(try await producer.publish(half).status)
            // Its header names the victim's group, as it came: what counts is whose connection it is.
            for status in [TransactionAck.Status.commit, TransactionAck.Status.rollBack] {
                try await thief.decide(half, status)
            }
            try await fixture.until { $0.transactions.refused.count == 2 }
            let consumer = try await WireClient.greeted("s-member", at: fixture.address, secret: "three")
            try await producer.decide(half, TransactionAck.Status.commit)
            #expect(try await consumer.delivery().body == "mine")
        }
    }

    // MARK: Rights

    @Test func whoMayNotPublishIsRefusedAndKeepsItsConnection() async throws {
        let rules = AccessRules(groups: [
            BindingName("p-pay"): GroupAccess(publish: .only([BindingName("feed")]))
        ])
        try await BrokerFixture.serving(configure: {
            $0.access = rules
            $0.topics = ["trade", "feed"]
        }) { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            // The header may name any group: its connection's counts.
            for publish in [
                WireClient.Publish(), .init(group: "p-other"), .init(isCommitted: false), .init(isFly: true),
            ] {
                let ack = try await producer.publish(publish)
                #expect(!ack.status && ack.feedback == "group p-pay may not publish to topic trade")
            }
            #expect(try await producer.publish(.init(topic: "feed")).status)
            #expect(fixture.broker.status?.publishing.forbidden.count == 4)
            let other = try await WireClient.greeted("p-other", at: fixture.address)
            #expect(try await other.publish(.init(group: "p-other")).status)
        }
    }

    @Test func aBindingOfWhoMayNotSubscribeIsIgnored() async throws {
        let log = CapturedLog()
        let bindings = ["s-member", "s-spy"].map { Binding(group: $0, topic: "trade", messageType: "paid") }
        let rules = AccessRules(groups: [BindingName("s-spy"): GroupAccess(subscribe: .only([BindingName("feed")]))])
        try await BrokerFixture.serving(bindings, logger: log.logger, configure: { $0.access = rules }) { fixture in
            let member = try await WireClient.greeted("s-member", at: fixture.address)
            _ = try await WireClient.greeted("s-spy", at: fixture.address)
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            #expect(try await producer.publish(.init(body: "not for spies")).status)
            try await member.acknowledge(try await member.delivery())
            try await fixture.until { $0.gauges.messages == 0 && $0.delivery.acknowledged == 1 }
            #expect(fixture.broker.status?.delivery.delivered == 1)
        }
        #expect(log.lines.count { $0.contains("a binding is ignored") } == 1)
    }

    // MARK: The log

    /// A client that was let in, sends what nobody understands, and comes again.
    @Test func whoWasLetInFillsNoLog() async throws {
        let log = CapturedLog()
        try await BrokerFixture.serving(logger: log.logger) { fixture in
            for _ in 0..<100 {
                let client = try await WireClient.greeted("p-pay", at: fixture.address)
                // Command 0x7F.
                try await client.send(ByteBuffer(bytes: [0, 0, 0, 1, 0x7F] + [UInt8](repeating: 0, count: 14)))
                try await client.closed()
            }
            #expect(fixture.broker.status?.refusals["malformed"] == 100)
            #expect(fixture.broker.status?.malformedPackets == 100)
        }
        let lines = log.lines.filter {
            !$0.hasPrefix("debug") && !$0.hasPrefix("trace") && $0.contains("cannot be understood")
        }
        #expect(lines.count == 1 && lines[0].contains("p-pay"), "\(lines)")
    }

    /// Names of others that an answer repeats move no cursor of whoever reads it.
    @Test func whatAnAnswerRepeatsIsSpeltOut() async throws {
        let rules = Self.rules(["p-pay": GroupAccess(publish: .none)], requires: false)
        try await BrokerFixture.serving(configure: {
            $0.access = rules
            $0.topics = ["trade", "t\u{1B}[2J\u{202E}"]
        }) { fixture in
            let client = try await WireClient.greeted("p-pay", at: fixture.address)
            let ack = try await client.publish(.init(topic: "t\u{1B}[2J\u{202E}"))
            #expect(!ack.status && ack.feedback == #"group p-pay may not publish to topic t\x1b[2J\u{202e}"#)
        }
        let closed = Self.rules(["p-pay": Self.hashed("right")])
        try await BrokerFixture.serving(configure: { $0.access = closed }) { fixture in
            let client = try await WireClient.connect(to: fixture.address)
            let ack = try await client.greet("g\u{9B}2J\u{2028}")
            #expect(!ack.status && ack.feedback.hasPrefix(#"group g\x9b2J\u{2028} is not let in"#))
        }
    }

    // MARK: Limits

    @Test func aSlowSenderIsNotWaitedFor() async throws {
        try await BrokerFixture.serving(configure: { $0.packetTimeout = .milliseconds(100) }) { fixture in
            let slow = try await WireClient.greeted("p-pay", at: fixture.address)
            var publish = ByteBuffer()
            try PacketWriter.writeDelivery(
                into: &publish, framing: .plain, opaque: 1, version: 0, extension: 0, command: .stringMessage,
                header: WireClient.Publish().header(), body: ByteBuffer(string: "x"), extra: nil)
            let quick = try await WireClient.greeted("p-pay", at: fixture.address)
            // Byte by byte, so that it is never silent.
            let dripping = Task {
                while let byte = publish.readSlice(length: 1), publish.readableBytes > 0 {
                    try await slow.send(byte)
                    try await Task.sleep(for: .milliseconds(10))
                }
            }
            try await slow.closed()
            _ = await dripping.result
            #expect(fixture.broker.status?.refusals["slow"] == 1)
            #expect(
                try await quick.publish(.init()).status, "whole packets are not late however long it is silent between")
        }
    }

    @Test func whoSaysNothingOrHalfAGreetingIsSentAway() async throws {
        try await BrokerFixture.serving(configure: { $0.handshakeTimeout = .milliseconds(100) }) { fixture in
            for bytes: [UInt8] in [[], [0, 0, 0]] {
                let client = try await WireClient.connect(to: fixture.address)
                if !bytes.isEmpty { try await client.send(ByteBuffer(bytes: bytes)) }
                try await client.closed()
            }
            #expect(fixture.broker.status?.refusals["handshake"] == 2)
        }
    }

    @Test func oneAddressHasItsShareOfConnections() async throws {
        try await BrokerFixture.serving(configure: { $0.maxConnectionsPerAddress = 2 }) { fixture in
            let first = try await WireClient.greeted("p-pay", at: fixture.address)
            _ = try await WireClient.greeted("p-pay", at: fixture.address)
            let third = try await WireClient.connect(to: fixture.address)
            try await third.closed()
            #expect(fixture.broker.status?.refusals["too_many_from_address"] == 1)
            try await first.close()
            try await fixture.until { $0.connections == 1 }
            _ = try await WireClient.greeted("p-pay", at: fixture.address)
        }
    }

    @Test func aMessageHasItsLimits() async throws {
        try await BrokerFixture.serving(configure: {
            $0.maxProperties = 3
            $0.maxPacket = 16 << 10
        }) { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let properties = (0..<4).map { (key: "k\($0)", value: "v") }
            #expect(try await producer.publish(.init(properties: Array(properties.prefix(3)))).status)
            let ack = try await producer.publish(.init(properties: properties))
            #expect(!ack.status && ack.feedback == "the message has more than 3 properties")
            #expect(try await producer.publish(.init(body: String(repeating: "x", count: 15 << 10))).status)
            await #expect(throws: (any Error).self) {
                try await producer.publish(.init(body: String(repeating: "x", count: 17 << 10)))
            }
            try await producer.closed()
        }
    }
}
