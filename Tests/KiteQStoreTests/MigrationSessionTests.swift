import KiteQCore
@testable import MariaDB
import Testing

@testable import KiteQStore

/// Servers whose sessions begin in another way, and those that cannot be worked with.
@Suite(.timeLimit(.minutes(2))) struct MigrationSessionTests {
    @Test(
        arguments: StoreUnderTest.servers,
        [
            ["SET SESSION autocommit = 0"], ["SET SESSION sql_mode = 'ANSI'"], ["SET SESSION sql_mode = ''"],
            ["SET SESSION sql_safe_updates = 1", "SET SESSION sql_select_limit = 1"],
            ["SET SESSION completion_type = 2"],
            ["SET SESSION TRANSACTION READ ONLY"], ["SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED"],
        ])
    func sessionsThatBeginInAnotherWay(kind: StoreUnderTest, first: [String]) async throws {
        var configuration = try await kind.configuration(shards: 2)
        for shard in configuration.shards.indices { configuration.shards[shard].sessionStatements = first }
        let reports = try await Migrator(configuration, logger: quiet).run()
        #expect(reports.map(\.applied) == Array(repeating: Migration.all.map(\.name), count: 2))
        #expect(try await Migrator(configuration, logger: quiet).run().allSatisfy(\.applied.isEmpty))
    }

    @Test(arguments: StoreUnderTest.servers) func theScriptBeginsWithTheSame(kind: StoreUnderTest) async throws {
        let configuration = try await kind.configuration()
        let script = Migrator(configuration, logger: quiet).script()
        let statements = Migration(version: 0, name: "script", sql: script).statements
        #expect(Array(statements.prefix(MigrationSession.statements.count)) == MigrationSession.statements)
    }

    @Test func whatCannotBeWorkedWithIsSaidFirst() {
        let new = MariaDBServer("10.11.6-MariaDB")
        func problem(_ settings: [String: String], hasInnoDB: Bool = true) -> String {
            MigrationSession.problem(settings, new, hasInnoDB: hasInnoDB) ?? "none"
        }
        #expect(problem([:]) == "none")
        #expect(
            problem(["read_only": "OFF", "enforce_storage_engine": "", "disabled_storage_engines": "MyISAM"]) == "none")
        #expect(problem(["read_only": "ON"]).contains("read_only"))
        #expect(problem(["super_read_only": "ON"]).contains("super_read_only"))
        #expect(problem(["enforce_storage_engine": "MyISAM"]).contains("MyISAM"))
        #expect(problem(["disabled_storage_engines": "InnoDB"]).contains("disabled_storage_engines"))
        #expect(problem([:], hasInnoDB: false).contains("InnoDB"))
        #expect(MigrationSession.problem([:], MariaDBServer("5.7.44"), hasInnoDB: true)?.contains("5.7.44") == true)
        #expect(MigrationSession.warning(["log_bin": "ON", "binlog_format": "STATEMENT"])?.contains("ROW") == true)
        #expect(MigrationSession.warning(["log_bin": "OFF", "binlog_format": "STATEMENT"]) == nil)
    }
}
