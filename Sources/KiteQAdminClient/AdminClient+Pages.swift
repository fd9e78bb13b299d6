extension AdminClient {
    /// The API's most for one page.
    private static let pageSize = 500

    /// How a listing ended.
    package struct ListingEnd: Sendable, Hashable {
        /// Where it goes on: the limit ended it. Nil where that was all.
        package var next: String?
        /// Shards that did not answer, each once: what they have was missing.
        package var unreachable: [API.Unreachable] = []
    }

    /// Calls `body` with the items of each page, until there are no more or there were `limit`.
    ///
    /// A page is never longer than what is left of the limit, so that ``ListingEnd/next`` loses nothing.
    /// - Parameter cursor: ``ListingEnd/next`` of an earlier listing.
    /// - Throws: ``AdminClientError``, also where the cursor does not move; what `body` throws.
    package func forEachPage<Item: Decodable & Sendable>(
        of listing: API.Listing<Item>, after cursor: String? = nil, limit: Int,
        _ body: (API.Page<Item>) async throws -> Void
    ) async throws -> ListingEnd {
        var (end, left) = (ListingEnd(next: cursor), limit)
        repeat {
            let page = try await send(listing.page(after: end.next, limit: min(left, Self.pageSize)))
            guard page.next == nil || page.next != end.next, page.items.count <= left else {
                throw AdminClientError("\(configuration.address) gives pages that do not end")
            }
            end.next = page.next
            end.unreachable += page.unreachable.filter { !end.unreachable.contains($0) }
            left -= page.items.count
            try await body(page)
        } while end.next != nil && left > 0
        return end
    }
}
