import Testing

@testable import KiteQStore
@testable import MariaDB

/// Which connections a broker tells others of.
@Suite struct ConnectionIDsTests {
    private func thread(_ id: UInt64, _ server: String) -> MariaDBThread {
        MariaDBThread(id: id, serverIdentity: server, since: .now)
    }

    /// Each pool may have found another server behind a proxy: there, these ids are somebody else's.
    @Test func onlyThoseToOneServerAreNamed() throws {
        let ids = ConnectionIDs([thread(1, "a"), thread(2, "b"), thread(3, "a")], on: "a", startedAt: 100)
        #expect(ids.numbers == [1, 3])
        #expect(!ids.isWhole, "that these are gone does not say that the broker is")
        #expect(ConnectionIDs([thread(1, "a")], on: "a", startedAt: 100).isWhole)
        #expect(ConnectionIDs(text: ids.text) == ids)
    }

    @Test func numbersThatAProxyGaveAreNotNamed() {
        let shared = MariaDBThread(id: 7, serverIdentity: "a", since: .now, isProven: false)
        let ids = ConnectionIDs([thread(1, "a"), shared], on: "a", startedAt: 100)
        #expect(ids.numbers == [1] && !ids.isWhole)
    }

    @Test func serversThatWereStartedAtOnceAreToldApart() throws {
        let ids = try #require(ConnectionIDs(text: ConnectionIDs([thread(1, "a")], on: "a", startedAt: 100).text))
        #expect(ids.areOf("a", startedAt: 101))
        #expect(!ids.areOf("b", startedAt: 100))
        #expect(!ids.areOf("a", startedAt: 200), "started anew")
    }

    @Test func rowsOfOlderVersionsAreRead() throws {
        let ids = try #require(ConnectionIDs(text: "100:7,8"))
        #expect(ids.numbers == [7, 8] && ids.isWhole && ids.areOf("a", startedAt: 100))
        #expect(ConnectionIDs(text: "100") == nil && ConnectionIDs(text: "x:1") == nil)
    }

    @Test func moreThanTheColumnHoldsAreNotAll() {
        let ids = ConnectionIDs((1...300).map { thread($0, "a") }, on: "a", startedAt: 1_700_000_000)
        #expect(!ids.isWhole && ids.numbers.last == 300 && ids.text.utf8.count < 4_096)
    }
}
