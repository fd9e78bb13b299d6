/// A page of groups by name (by its bytes): those that are in a route, are connected, or have a delivery waiting.
package struct GroupListing: Sendable, Hashable {
    package var groups: [GroupReport]
    /// The name after which the next page begins; nil at the end.
    package var next: String?
    package var failures: [ShardFailure]

    package init(groups: [GroupReport], next: String? = nil, failures: [ShardFailure] = []) {
        self.groups = groups
        self.next = next
        self.failures = failures
    }
}
