import Foundation
import KiteQ
import KiteQBroker
import KiteQCore
import KiteQRegistry
import LocalServers
import Synchronization
import Testing

@testable import kiteq

extension WholeBrokerTests {
    /// The lines of docs/threat-model.md that take a database, or a process of the broker's own.
    @Suite struct ThreatModelTests {}
}

extension WholeBrokerTests.ThreatModelTests {
    private static let nasty = [
        "'; DROP TABLE kite_message; -- ", "\" OR \"\"=\"", "a\\' OR 1=1 #", "back\\", "%_`${jndi}", "\u{0}nul\u{0}",
        "\u{1a}\n\r\t",
        "\u{BF}\u{27} OR 1=1", "日本'語😀",
    ]

    @Test func sqlInEveryFieldIsText() async throws {
        let database = try await Database.migrated(shards: 2)
        let store = try database.configuration()
        let nasty = Self.nasty
        let bindings = nasty.map { Binding(group: "s" + $0, topic: $0, messageType: $0) }
        try await HostedBroker.run(
            store, registry: StaticRegistry(bindings: bindings), name: "broker' --",
            configure: { $0.topics = Set(nasty) }
        ) { broker in
            let discovery = try await broker.discovery()
            for text in nasty {
                let received = Received()
                let consumer = try Consumer(
                    .patient("s" + text, discovery), subscriptions: [Subscription(topic: text, .messageType(text))],
                    logger: quiet
                ) { message in
                    // Its first attempt fails: what is said of that is stored too.
                    if received.add(message) == 1 { throw Refused(description: text) }
                }
                let producer = try Producer(.patient("p" + text, discovery), topics: [text], logger: quiet)
                try await running([consumer, producer]) {
                    var message = OutgoingMessage(topic: text, messageType: text, text: text)
                    message.properties = [text: text, "x": text]
                    try await producer.publish(message)
                    try await eventually("it comes twice") { received.messages.count == 2 }
                    let got = try #require(received.messages.last)
                    #expect(
                        Array(got.topic.utf8) == Array(text.utf8) && Array(got.messageType.utf8) == Array(text.utf8))
                    #expect(Array(got.body.string.utf8) == Array(text.utf8))
                    #expect(got.properties == message.properties && got.publisherGroup == "p" + text)
                    var half = message
                    half.id = OutgoingMessage(topic: text, messageType: text, text: "").id
                    try await producer.prepare(half).commit()
                    try await eventually("the half message comes") { received.messages.count == 3 }
                    // Its dead letter keeps the text of the last failure.
                    var dying = message
                    dying.id = OutgoingMessage(topic: text, messageType: text, text: "").id
                    dying.deliverLimit = 1
                    received.refuseAll()
                    try await producer.publish(dying)
                    try await eventually("it is dead") {
                        try await database.count("kite_dead_letter", where: "message_id = UNHEX('\(dying.id)')") == 1
                    }
                }
            }
        }
        try await database.isEmptied()
        #expect(try await database.count("kite_dead_letter") == nasty.count)
    }

    /// Whichever broker it comes to: a repeat is acknowledged and stored once, and another's message is neither taken for it nor lost.
    @Test func anIDIsOneMessageAtEveryBroker() async throws {
        let database = try await Database.migrated(shards: 2)
        let store = try database.configuration()
        try await HostedBroker.run(store, groups: ["s-member"], name: "one") { one in
            try await HostedBroker.run(store, groups: ["s-member"], name: "two") { two in
                let (here, there) = (
                    try producer(await one.discovery()), try producer(await two.discovery())
                )
                let squatter = try producer(await two.discovery(), group: "s-feed")
                try await running([here, there, squatter]) {
                    let messages = (0..<20).map { OutgoingMessage.paid("mine \($0)") }
                    for result in await here.publish(contentsOf: messages) { _ = try result.get() }
                    let repeated = messages + (20..<25).map { OutgoingMessage.paid("mine \($0)") }
                    let feedback = try await there.publish(contentsOf: repeated).map { try $0.get().feedback }
                    #expect(feedback == repeated.indices.map { $0 < 20 ? "stored before" : "stored" })
                    for result in await squatter.publish(contentsOf: messages) {
                        #expect(throws: KiteQError.self) { try result.get() }
                    }
                    let half = OutgoingMessage.paid("half")
                    let prepared = try await here.prepare(half)
                    await #expect(throws: KiteQError.self) { _ = try await squatter.prepare(half) }
                    _ = prepared
                    try await there.prepare(half).commit()
                    let ledger = Ledger()
                    let member = try consumer("s-member", await one.discovery()) { ledger.got($0, "s-member") }
                    let other = try consumer("s-member", await two.discovery()) { ledger.got($0, "s-member") }
                    try await running([member, other]) {
                        try await eventually("each comes") { ledger.count("s-member") == 26 }
                        for text in (0..<25).map({ "mine \($0)" }) + ["half"] {
                            #expect(ledger.times(text, "s-member") == 1, "\(text)")
                        }
                    }
                }
            }
        }
        try await database.isEmptied()
    }

    /// A group without a right to anything, and one with a right to what this broker serves.
    @Test func nobodyLeavesNodesInZooKeeperForTopicsThatAreNotHis() async throws {
        try await TestZooKeeper.run { zooKeeper in
            let file = try LocalServers.temporaryFolder("groups").appending(path: "groups.toml")
            try Data(
                """
                [groups.s-spy]
                secret = "plain:spy"
                publish = ["trade"]
                [groups.s-member]
                secret = "plain:member"
                subscribe = "*"

                """.utf8
            ).write(to: file)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
            let broker = try ServedBroker(
                store: "memory://", registry: zooKeeper.url, options: ["groups.file=\(file.path)"])
            try await broker.start()
            try await zooKeeper.lists([BrokerAddress(broker.address)])
            func subscribe(_ topics: [String], _ group: String, _ secret: String) async throws -> Int? {
                let bindings = topics.map { #"{"topic": "\#($0)", "messageType": "m"}"# }.joined(separator: ",")
                return try await broker.post(
                    "subscribe", #"{"bindings": [\#(bindings)]}"#, group: group, secret: secret)?.status
            }
            let before = try #require(try await zooKeeper.nodeCount())
            let invented = (0..<400).map { "junk-\($0)" }
            for topics in [invented, ["trade"]] {
                #expect(try await subscribe(topics, "s-spy", "spy") == 403)
            }
            #expect(try await subscribe(invented, "s-member", "member") == 403)
            #expect(try await zooKeeper.nodeCount() == before)
            #expect(try await subscribe(["trade"], "s-member", "member") == 200)
            #expect(try await zooKeeper.nodeCount() == before + 1)
            #expect(await broker.stop() == nil)
        }
    }

    @Test func idsThatAreNoneAreRefused() async throws {
        let database = try await Database.migrated()
        try await HostedBroker.run(try database.configuration(), groups: ["s-member"]) { broker in
            let producer = try producer(await broker.discovery())
            try await running([producer]) {
                for id in [
                    "' OR 1=1 --", String(repeating: "'", count: 32), "", String(repeating: "0", count: 31) + "\u{0}",
                ] {
                    let message = OutgoingMessage(topic: "trade", messageType: "paid", body: .text("x"), id: id)
                    await #expect(throws: KiteQError.self) { try await producer.publish(message) }
                }
            }
        }
        #expect(try await database.count("kite_message") == 0)
    }

    @Test func twentyThousandConnectionsAreServed() async throws {
        let descriptors = try Self.raiseDescriptorLimit()
        // Each of the two processes has its end of all of them. The broker keeps some for its database and administration, and 1,000 places
        // for those that are not let in yet.
        let count = min(20_000, descriptors - 2_000)
        let broker = try ServedBroker(
            store: "memory://", bindings: ["s-member": "paid"],
            options: ["broker.max_connections=22000", "broker.max_connections_per_address=20000"])
        try await broker.start()
        let address = try #require(BrokerAddress(broker.address))
        let began = ContinuousClock.now
        try await IdleConnections.with(count, to: address, group: { "s-\($0 / 100)" }) {
            // With all of them there, it does its work.
            let ledger = Ledger()
            let producer = try producer(broker.discovery)
            let consumer = try consumer("s-member", broker.discovery) { ledger.got($0, "s-member") }
            try await running([producer, consumer]) {
                #expect(try await ledger.publish("1", producer) == nil)
                try await eventually("it comes") { ledger.times("1", "s-member") == 1 }
            }
        }
        print("\(count) connections in \(ContinuousClock.now - began)")
        #expect(await broker.stop() == nil)
    }

    /// Raises this process's limit, which those that it starts inherit, to what the machine allows.
    private static func raiseDescriptorLimit() throws -> Int {
        var limit = rlimit()
        try #require(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        limit.rlim_cur = min(limit.rlim_max, 25_000)
        try #require(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        return Int(limit.rlim_cur)
    }
}

private struct Refused: Error, CustomStringConvertible {
    let description: String
}

/// What a consumer got.
private final class Received: Sendable {
    private struct State {
        var messages: [IncomingMessage] = []
        var refusesAll = false
    }

    private let state = Mutex(State())

    var messages: [IncomingMessage] { state.withLock { $0.messages } }

    func refuseAll() { state.withLock { $0.refusesAll = true } }

    /// How many it got; 1, which is refused, where all are.
    func add(_ message: IncomingMessage) -> Int {
        state.withLock { state in
            state.messages.append(message)
            return state.refusesAll ? 1 : state.messages.count
        }
    }
}
