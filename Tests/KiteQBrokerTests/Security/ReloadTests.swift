import KiteQCore
import KiteQWire
import Testing

@testable import KiteQBroker

@Suite(.timeLimit(.minutes(3))) struct ReloadTests {
    private static func settings(_ change: (inout BrokerConfiguration) -> Void) throws -> SessionSettings {
        var configuration = BrokerConfiguration()
        configuration.topics = ["trade"]
        change(&configuration)
        return try SessionSettings(configuration)
    }

    private static func secrets(_ secrets: [String: String]) -> AccessRules {
        AccessRules(plain: secrets, requiresSecret: true)
    }

    @Test func aNewTopicIsServedAndAnOldOneIsNot() async throws {
        let bindings = ["trade", "feed"].map { Binding(group: "s-member", topic: $0, messageType: "paid") }
        try await BrokerFixture.serving(bindings) { fixture in
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            let half = WireClient.Publish(body: "half", isCommitted: false)
            #expect(try await producer.publish(half).status)
            #expect(try await !producer.publish(.init(topic: "feed")).status)
            fixture.broker.reload(try Self.settings { $0.topics = ["feed"] })
            try await fixture.until { $0.servedTopics == ["feed"] }
            #expect(try await !producer.publish(.init()).status)
            #expect(try await producer.publish(.init(topic: "feed", body: "fed")).status)
            let fed = try await consumer.delivery()
            #expect(fed.body == "fed")
            // A half message of a topic that is served no more still finds its groups.
            try await producer.decide(half, TransactionAck.Status.commit)
            #expect(try await consumer.delivery().body == "half")
        }
    }

    @Test func aNewTopicIsCountedForItself() async throws {
        let bindings = ["trade", "feed"].map { Binding(group: "s-member", topic: $0, messageType: "paid") }
        try await BrokerFixture.serving(bindings) { fixture in
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            #expect(try await producer.publish(.init()).status)
            #expect(try await !producer.publish(.init(topic: "feed")).status)
            #expect(fixture.broker.status?.topics.map(\.name) == ["trade"])
            for topics in [["trade", "feed"], ["feed"], ["feed", "other"]] as [Set<String>] {
                fixture.broker.reload(try Self.settings { $0.topics = topics })
                try await fixture.until { $0.servedTopics == topics.sorted() }
            }
            #expect(try await producer.publish(.init(topic: "feed")).status)
            #expect(try await producer.publish(.init(topic: "feed", type: "nobody's")).status)
            #expect(try await !producer.publish(.init(topic: "never")).status)
            _ = try await consumer.delivery()
            _ = try await consumer.delivery()
            // One that is served no more keeps what it had; one that was never served has nothing.
            try await fixture.until { status in
                status.topics.map { [$0.name, "\($0.published)", "\($0.delivered)"] } == [
                    ["feed", "2", "1"], ["other", "0", "0"], ["trade", "1", "1"],
                ]
            }
        }
    }

    @Test func whoseSecretWasTakenAwayIsSentAway() async throws {
        try await BrokerFixture.serving(configure: { $0.access = Self.secrets(["p-pay": "one", "p-other": "two"]) }) {
            fixture in
            let leaver = try await WireClient.greeted("p-pay", at: fixture.address, secret: "one")
            let stayer = try await WireClient.greeted("p-other", at: fixture.address, secret: "two")
            fixture.broker.reload(try Self.settings { $0.access = Self.secrets(["p-pay": "new", "p-other": "two"]) })
            try await leaver.closed()
            #expect(try await stayer.publish(.init(group: "p-other")).status)
            #expect(try await !WireClient.connect(to: fixture.address).greet("p-pay", secret: "one").status)
            _ = try await WireClient.greeted("p-pay", at: fixture.address, secret: "new")
            fixture.broker.reload(try Self.settings { $0.access = Self.secrets(["p-other": "two"]) })
            try await fixture.until { $0.connectionsByGroup == ["p-other": 1] }
        }
    }

    @Test func rightsChangeUnderAConnection() async throws {
        try await BrokerFixture.serving { fixture in
            let consumer = try await WireClient.greeted("s-member", at: fixture.address)
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            #expect(try await producer.publish(.init(body: "first")).status)
            #expect(try await consumer.delivery().body == "first")
            fixture.broker.reload(
                try Self.settings {
                    $0.access = AccessRules(groups: [BindingName("p-pay"): GroupAccess(publish: .none)])
                })
            #expect(try await !producer.publish(.init()).status)
            fixture.broker.reload(
                try Self.settings {
                    $0.access = AccessRules(groups: [BindingName("s-member"): GroupAccess(subscribe: .none)])
                })
            #expect(try await producer.publish(.init()).feedback == "no group is bound to it")
            fixture.broker.reload(try Self.settings { _ in })
            #expect(try await producer.publish(.init(body: "again")).status)
            #expect(try await consumer.delivery().body == "again")
        }
    }

    @Test func limitsChange() async throws {
        try await BrokerFixture.serving { fixture in
            let producer = try await WireClient.greeted("p-pay", at: fixture.address)
            fixture.broker.reload(
                try Self.settings {
                    $0.receiveRate = 1
                    $0.maxConnections = 1
                })
            let refused = try await WireClient.connect(to: fixture.address)
            try await refused.closed()
            var feedback = ""
            for _ in 0..<100 where !feedback.contains("receive rate") {
                feedback = try await producer.publish(.init()).feedback
            }
            #expect(feedback.contains("receive rate"))
            fixture.broker.reload(try Self.settings { _ in })
            #expect(try await producer.publish(.init()).status)
            _ = try await WireClient.greeted("p-pay", at: fixture.address)
        }
    }

    @Test func aReportIsALine() {
        #expect(ReloadReport(applied: [], needsRestart: []).description == "nothing changed")
        #expect(
            ReloadReport(applied: ["log.level", "groups.file"], needsRestart: ["broker.bind"]).description
                == "changed groups.file, log.level; a restart is needed for broker.bind")
    }
}
