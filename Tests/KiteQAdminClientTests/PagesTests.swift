import Synchronization
import TestSupport
import Testing

@testable import KiteQAdminClient

/// Listings, page by page.
@Suite(.timeLimit(.minutes(2))) struct PagesTests {
    private func list(
        limit: Int, after cursor: String? = nil,
        _ answer: @escaping @Sendable (FixtureServer.Request) -> FixtureServer.Answer
    ) async throws -> (items: Int, end: AdminClient.ListingEnd, targets: [String]) {
        try await FixtureServer.with(answer) { server in
            let address = try #require(AdminAddress("127.0.0.1:\(server.port)"))
            return try await AdminClient.with(AdminClientConfiguration(address: address, token: nil)) { client in
                var items = 0
                let end = try await client.forEachPage(of: API.groups().json, after: cursor, limit: limit) {
                    items += $0.items.count
                }
                return (items, end, server.requests.map(\.target))
            }
        }
    }

    @Test func aListingEndsAtItsLimit() async throws {
        let page = #"{"items": [1, 2], "next": "a", "unreachable": [{"shard": 3, "reason": "away"}]}"#
        let (items, end, targets) = try await list(limit: 2) { _ in .json(page) }
        #expect(items == 2 && end.next == "a")
        #expect(end.unreachable == [API.Unreachable(shard: 3, reason: "away")])
        #expect(targets == ["/api/v1/groups?limit=2"])
    }

    @Test func pagesAreAtMostSoLongAndMayBeEmpty() async throws {
        let pages = Mutex<[String]>([
            #"{"items": [1, 2], "next": "a"}"#, #"{"items": [], "next": "b"}"#, #"{"items": [3], "next": null}"#,
        ])
        let (items, end, targets) = try await list(limit: 1_000, after: "z") { _ in
            .json(pages.withLock { $0.removeFirst() })
        }
        #expect(items == 3 && end == AdminClient.ListingEnd())
        #expect(
            targets == [
                "/api/v1/groups?limit=500&cursor=z", "/api/v1/groups?limit=500&cursor=a",
                "/api/v1/groups?limit=500&cursor=b",
            ])
    }

    @Test(arguments: [#"{"items": [], "next": "same"}"#, #"{"items": [1, 2, 3], "next": null}"#])
    func aServerThatDoesNotComeToAnEndIsLeft(page: String) async throws {
        await #expect(throws: AdminClientError.self) {
            try await list(limit: 2, after: "same") { _ in .json(page) }
        }
    }
}
