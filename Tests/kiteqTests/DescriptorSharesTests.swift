import KiteQAdmin
import Testing

@testable import kiteq

@Suite struct DescriptorSharesTests {
    private func shares(_ limit: Int, database: Int = 36, administration: Int = 1_032) throws -> DescriptorShares {
        try DescriptorShares(
            limit: limit, databaseConnections: database, threads: 2, wantedClients: 20_000,
            wantedAdministration: administration)
    }

    @Test func whereThereAreEnoughAllGetWhatTheyWant() throws {
        let shares = try shares(65_536)
        #expect(shares.clients == 20_000 && shares.administration == 1_032 && shares.warning == nil)
    }

    @Test func clientsComeBeforeMoreForTheAdministration() throws {
        let few = try shares(20_000, database: 0)
        #expect(few.administration == 256 && few.clients == 20_000 - 70 - 256)
        let more = try shares(20_000 + 70 + 500, database: 0)
        #expect(more.administration == 500 && more.clients == 20_000)
    }

    @Test func whereThereAreFewClientsGetWhatIsLeft() throws {
        let shares = try shares(300)
        #expect(shares.own == 36 + 6 + 64)
        #expect(shares.administration == 48 && shares.clients == 300 - 106 - 48)
        #expect(
            shares.warning?.hasPrefix(
                "broker.max_connections = 20000 is taken as 146: this process may open 300 files, of which 106 are kept for"
            )
                == true)
        #expect(shares.adminLimits.maxConnections + shares.adminLimits.reserve == 48)
        #expect(shares.adminLimits.maxConnectionsPerAddress <= shares.adminLimits.maxConnections)
    }

    /// They never come to more than there are.
    @Test(arguments: [150, 200, 300, 1_024, 4_096, 20_000, 21_000, 1_048_576])
    func nothingIsSharedOutTwice(limit: Int) throws {
        for administration in [0, 1_032] {
            let shares = try shares(limit, administration: administration)
            #expect(shares.own + shares.administration + shares.clients <= limit)
            #expect(shares.clients >= 16 && (shares.administration >= 16) == (administration > 0))
            #expect((shares.clients < 20_000) == (shares.warning != nil))
        }
    }

    @Test func withTooFewItDoesNotStart() {
        let error = #expect(throws: CommandError.self) { try shares(100) }
        #expect(error?.description.hasPrefix("this process may open 100 files, and needs 106 for itself") == true)
    }
}
