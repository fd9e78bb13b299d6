import KiteQ
import KiteQBroker
import LocalServers
import Testing

extension WholeBrokerTests.DatabaseOutageTests {
    /// A Galera node that takes write sets of 1 MiB, of 40 rows: what is small is split until it passes, and what is large is
    /// refused alone, for what it is. (With a limit of group replication: `ClusterLimitTests` of the store.)
    @Test(.enabled(if: LocalGalera.missing == nil)) func aNodeThatTakesSmallTransactionsOnly() async throws {
        let cluster = try LocalGalera(
            nodes: 1, folder: try LocalServers.temporaryFolder("galera"),
            options: ["--wsrep-max-ws-rows=40", "--wsrep-max-ws-size=1048576", "--max-allowed-packet=16M"])
        try await cluster.start(makesAccounts: false)
        let database = try await Database.migrated(on: cluster.servers[0])
        try await HostedBroker.run(
            try database.configuration(), groups: ["s-member", "s-away"], configure: { $0.publishWait = .seconds(30) }
        ) { broker in
            let ledger = Ledger()
            let producer = try producer(await broker.discovery())
            let member = try consumer("s-member", await broker.discovery()) { ledger.got($0, "s-member") }
            try await running([producer, member]) {
                let error = try await ledger.publish(0..<600, padding: 4_000, producer)
                #expect(error == nil, "\(String(describing: error))")
                async let large = ledger.publish(0..<3, prefix: "large ", padding: 1_500_000, producer)
                let others = try await ledger.publish(0..<200, prefix: "beside ", padding: 1_000, producer)
                #expect(others == nil, "\(String(describing: others))")
                let refused = try await large
                #expect(refused?.code == .refused, "\(String(describing: refused))")
                #expect(refused?.message.contains("riteset size") == true, "\(String(describing: refused))")
                #expect(ledger.refusals.count == 3 && ledger.refusals.allSatisfy { !$0.message.contains("read-only") })
                try await eventually("all is delivered") { ledger.missing("s-member").isEmpty }
                let away = try consumer("s-away", await broker.discovery()) { ledger.got($0, "s-away") }
                try await running([away]) {
                    try await eventually("all is delivered") { ledger.missing("s-away").isEmpty }
                    try await database.isEmptied()
                }
                #expect(ledger.count("s-member") == 800 && ledger.repeated("s-member").isEmpty)
            }
        }
        await cluster.stop()
    }
}
