import KiteQCore
import LocalServers
import MariaDB
import Testing
import TestSupport

@testable import KiteQStore

/// A server that says it is another product: not migrated, and not joined.
@Suite(.timeLimit(.minutes(2))) struct OtherProductTests {
    private func behindProxy(
        saying text: String, _ body: (MySQLStoreConfiguration, MySQLStoreConfiguration) async throws -> Void
    ) async throws {
        let kind = StoreUnderTest.mySQL
        let comment = try await ClusterUnderTest.onServer(try await kind.port) { root in
            try #require(try await root.value("SELECT @@version_comment"))
        }
        let proxy = try await RewritingProxy.start(
            server: try await kind.port,
            replacing: [(comment, text.padded(to: comment.count))])
        let direct = try await kind.configuration()
        var other = direct
        other.shards[0].servers = [.tcp(host: "127.0.0.1", port: proxy.port)]
        try await body(direct, other)
        try await proxy.stop()
    }

    @Test(
        .enabled(if: LocalMySQL.root != nil),
        arguments: [("TiDB", "TiDB"), ("Vitess", "Vitess"), ("MemSQL", "SingleStore")])
    func isRefusedByName(text: String, name: String) async throws {
        try await behindProxy(saying: text) { direct, other in
            let migrated = await #expect(throws: StoreError.self) {
                _ = try await Migrator(other, logger: quiet).run()
            }
            #expect(migrated?.message.contains("the database is \(name)") == true, "\(migrated?.message ?? "")")
            #expect(migrated?.message.contains("nothing was changed") == true)
            _ = try await Migrator(direct, logger: quiet).run()
            try await running(MySQLMessageStore(other, logger: quiet)) { store async throws in
                let joined = await #expect(throws: StoreError.self) {
                    _ = try await store.join(as: BrokerIdentity(name: "b", address: "b:1"))
                }
                #expect(joined?.message.contains("the database is \(name)") == true, "\(joined?.message ?? "")")
                // Nobody waits for it to become another product.
                #expect(joined?.isOutage == false)
            }
        }
    }

    @Test(.enabled(if: LocalMySQL.root != nil)) func whatWasNotTriedIsWarnedOf() async throws {
        try await behindProxy(saying: "Dolt") { _, other in
            let log = LogLines()
            _ = try await Migrator(other, logger: log.logger).run()
            #expect(log.lines.contains { $0.contains("Dolt, with which KiteQ was not tried") })
        }
    }
}

extension String {
    fileprivate func padded(to count: Int) -> String {
        self + String(repeating: " ", count: max(0, count - self.count))
    }
}
