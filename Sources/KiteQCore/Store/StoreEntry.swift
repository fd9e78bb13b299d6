/// How a broker has joined a store: where it could.
package struct StoreEntry: Sendable {
    /// The number of this life, larger than any that was known; the same in all shards.
    package var incarnation: Int64
    /// The greatest seq that the joined shards have: its own must be above. 0 where there is none.
    package var floor: Int64
    /// Shards that could not be joined, and why: to be tried again with ``MessageStore/joinIfMissing(shard:)``.
    package var missing: [Int: StoreError]

    package init(incarnation: Int64, floor: Int64 = 0, missing: [Int: StoreError] = [:]) {
        self.incarnation = incarnation
        self.floor = floor
        self.missing = missing
    }
}
