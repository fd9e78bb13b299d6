import KiteQ
import KiteQBroker
import KiteQCore
import LocalServers
import TestSupport
import Testing

extension WholeBrokerTests {
    /// ZooKeeper is away, forgets, or ends a broker's session: messages go on, and the broker is found again.
    @Suite struct ZooKeeperOutageTests {}
}

extension WholeBrokerTests.ZooKeeperOutageTests {
    @Test func aBrokerThatStartsWithoutIt() async throws {
        let known = try await Database.migrated()
        // An earlier life, in which the bindings were known.
        try await HostedBroker.run(try known.configuration(), groups: ["s-member", "s-away"]) { _ in
            try await eventually("the bindings are saved") {
                try await known.count("kite_binding", where: "group_name <> ''") == 2
            }
        }
        let new = try await Database.migrated()
        try await TestZooKeeper.run(isStarted: false) { zooKeeper in
            try await HostedBroker.run(try known.configuration(), registry: zooKeeper.registry()) { broker in
                try await HostedBroker.run(try new.configuration(), registry: zooKeeper.registry()) { unknowing in
                    let ledger = Ledger()
                    let producer = try producer(await broker.discovery())
                    let member = try consumer("s-member", await broker.discovery()) { ledger.got($0, "s-member") }
                    try await running([producer, member]) {
                        #expect(try await ledger.publish("early", producer) == nil)
                        try await eventually("it is delivered") { ledger.times("early", "s-member") == 1 }
                    }
                    try await broker.untilReady("the registry cannot be reached")
                    try await unknowing.untilReady("the store knows no bindings from before")
                    #expect(unknowing.address == nil, "it would not know for whom a message is")

                    try await zooKeeper.server.start()
                    for broker in [broker, unknowing] { try await broker.untilReady() }
                    try await zooKeeper.lists([broker.address, unknowing.address].sortedByPort)
                    // Found by ZooKeeper alone.
                    let away = try consumer("s-away", zooKeeper.discovery) { ledger.got($0, "s-away") }
                    try await running([away]) {
                        try await eventually("what waited is delivered") { ledger.missing("s-away").isEmpty }
                    }
                    #expect(ledger.repeated("s-away").isEmpty)
                }
            }
        }
        try await known.isEmptied()
    }

    @Test(arguments: [false, true]) func itIsGoneForLong(andComesBackEmpty isEmptied: Bool) async throws {
        let database = try await Database.migrated()
        try await TestZooKeeper.run { zooKeeper in
            try await HostedBroker.run(try database.configuration(), registry: zooKeeper.registry()) { broker in
                let ledger = Ledger()
                let producer = try producer(zooKeeper.discovery)
                let member = try consumer("s-member", zooKeeper.discovery) { ledger.got($0, "s-member") }
                func away() throws -> Consumer {
                    try consumer("s-away", zooKeeper.discovery) { ledger.got($0, "s-away") }
                }
                try await running([producer, member]) {
                    // It says what it wants, and leaves.
                    try await running([away()]) {
                        try await broker.until("all are there") { $0.connectionsByGroup.count == 3 }
                    }
                    #expect(try await ledger.publish(0..<20, producer) == nil)
                    try await zooKeeper.whileKilled(isEmptied: isEmptied) {
                        try await broker.untilReady("the registry cannot be reached")
                        let end = ContinuousClock.now + TestZooKeeper.session * 2.5
                        var rounds = 0
                        while ContinuousClock.now < end {
                            rounds += 1
                            let texts = "away \(rounds) "
                            #expect(try await ledger.publish(0..<5, prefix: texts, producer) == nil)
                            try await eventually("they are delivered") { ledger.missing("s-member").isEmpty }
                        }
                    }
                    try await broker.untilReady()
                    try await zooKeeper.lists([broker.address])
                    #expect(try await ledger.publish(20..<40, producer) == nil)
                    try await running([away()]) {
                        try await eventually("all is delivered") {
                            ledger.missing("s-member").isEmpty && ledger.missing("s-away").isEmpty
                        }
                        try await database.isEmptied()
                    }
                    #expect(ledger.repeated("s-member").isEmpty && ledger.repeated("s-away").isEmpty)
                }
            }
        }
    }

    /// Nothing of the broker gets through for so long that its session ends: it is listed no more, and works on.
    @Test func aSessionThatExpires() async throws {
        let database = try await Database.migrated()
        try await TestZooKeeper.run { zooKeeper in
            let proxy = CuttingProxy(server: zooKeeper.server.port)
            let port = try await proxy.start()
            try await HostedBroker.run(try database.configuration(), registry: zooKeeper.registry(port: port)) {
                broker in
                let ledger = Ledger()
                let producer = try producer(zooKeeper.discovery)
                let member = try consumer("s-member", zooKeeper.discovery) { ledger.got($0, "s-member") }
                try await running([producer, member]) {
                    try await broker.until("all are there") { $0.connectionsByGroup.count == 2 }
                    #expect(try await ledger.publish("before", producer) == nil)
                    try await proxy.fallSilent()
                    try await zooKeeper.lists([])
                    #expect(try await ledger.publish(0..<20, producer) == nil, "who is connected works on")
                    try await eventually("they are delivered") { ledger.missing("s-member").isEmpty }
                    try await proxy.speak()
                    try await broker.untilReady()
                    try await zooKeeper.lists([broker.address])
                    #expect(try await ledger.publish("after", producer) == nil)
                    try await eventually("it is delivered") { ledger.missing("s-member").isEmpty }
                    try await database.isEmptied()
                    #expect(ledger.repeated("s-member").isEmpty)
                    try await broker.until("nobody is connected twice") {
                        $0.connectionsByGroup == ["p-pay": 1, "s-member": 1]
                    }
                }
            }
            try await proxy.stop()
        }
    }
}

extension [BrokerAddress?] {
    /// As a registry lists them.
    fileprivate var sortedByPort: [BrokerAddress?] { sorted { ($0?.port ?? 0) < ($1?.port ?? 0) } }
}
