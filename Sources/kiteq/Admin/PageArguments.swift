import ArgumentParser
import KiteQAdminClient
import KiteQCore

/// The flags of commands that list page by page.
struct PageArguments: ParsableArguments {
    @Option(help: ArgumentHelp("At most so many.", valueName: "n"))
    var limit = 100

    @Option(help: ArgumentHelp("Go on where a list with the same filter ended, as it said.", valueName: "cursor"))
    var after: String?

    func validate() throws {
        guard (1...100_000).contains(limit) else { throw ValidationError("--limit takes a number from 1 to 100000.") }
        guard after?.isEmpty != true else { throw ValidationError("--after takes what a list said.") }
    }

    /// Prints a listing: with `--json` an object a line as they come, else a table.
    /// - Parameters:
    ///   - empty: what is said in place of a table without rows.
    ///   - missing: shards that an item itself says it lacks.
    /// - Throws: ``AdminClientError``; ``CommandError`` where shards did not answer.
    func list<Item: Decodable & Sendable>(
        _ listing: API.Listing<Item>, from client: AdminClient, json: Bool, empty: String, columns: [TextTable.Column],
        missing: (Item) -> [API.Unreachable] = { _ in [] }, row: (Item) -> [String]
    ) async throws {
        var (table, isEmpty, lacking) = (TextTable(columns), true, [API.Unreachable]())
        let end: AdminClient.ListingEnd
        if json {
            end = try await client.forEachPage(of: listing.json, after: after, limit: limit) { page in
                for item in page.items { AdminOutput.print(item) }
            }
        } else {
            end = try await client.forEachPage(of: listing, after: after, limit: limit) { page in
                for item in page.items {
                    table.add(row(item))
                    isEmpty = false
                    lacking += missing(item).filter { !lacking.contains($0) }
                }
            }
            if isEmpty { StandardOutput.print(empty) } else { AdminOutput.print(table) }
        }
        if let next = end.next {
            StandardError.write("kiteq: there may be more: --after \(VisibleText.escaped(next))\n")
        }
        try AdminOutput.check(end.unreachable + lacking.filter { !end.unreachable.contains($0) })
    }
}
