import MariaDB
import Testing

@testable import KiteQStore

/// What the broker's statements were measured and explained with holds for its sessions, however the server is set.
@Suite(.timeLimit(.minutes(2))) struct SessionSettingsTests {
    @Test(arguments: StoreUnderTest.servers) func listsOfKeysAreEstimatedByTheIndex(kind: StoreUnderTest) async throws {
        var configuration = try await kind.configuration()
        configuration.shards[0].database = nil
        let shard = Shard(number: 0, configuration: configuration, logger: quiet)
        try await running(MariaDBPool(configuration.shards[0], logger: quiet)) { root in
            let before = try await root.withConnection {
                try $0.query("SELECT @@global.eq_range_index_dive_limit")[0].int(0)
            }
            try await root.withConnection { try $0.simple("SET GLOBAL eq_range_index_dive_limit = 1") }
            let limit = try await running(shard.pool) { pool in
                try await pool.withConnection { try $0.query("SELECT @@session.eq_range_index_dive_limit")[0].int(0) }
            }
            try await root.withConnection { try $0.simple("SET GLOBAL eq_range_index_dive_limit = \(before)") }
            #expect(limit == 200)
        }
    }
}
