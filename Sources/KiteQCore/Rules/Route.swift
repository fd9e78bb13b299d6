/// The groups a message was accepted for, fixed then. Each distinct set is stored once, under its id.
package struct Route: Sendable, Hashable {
    package struct Member: Sendable, Hashable {
        package var group: String
        /// Whether the message is kept for the group while no client of it is connected.
        package var persistent: Bool

        package init(group: String, persistent: Bool) {
            self.group = group
            self.persistent = persistent
        }
    }

    /// What the `route` column of a half message has: its groups are not fixed yet.
    package static let halfID: Int64 = 0
    /// What it has once delivery rows say who is owed the message.
    package static let trackedID: Int64 = -1

    /// Positive, and the same for the same members everywhere and for ever: it is stored.
    package let id: Int64
    /// Sorted by the bytes of the group, each group once.
    package let members: [Member]

    package init(_ members: [Member]) {
        let sorted = members.sorted { $0.group.utf8.lexicographicallyPrecedes($1.group.utf8) }
        self.members = sorted
        id = Self.identity(sorted)
    }

    /// FNV-1a over the groups, each closed by a byte that no UTF-8 text holds and that says whether it is persistent.
    private static func identity(_ members: [Member]) -> Int64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        for member in members {
            for byte in member.group.utf8 { mix(byte) }
            mix(member.persistent ? 0xFF : 0xFE)
        }
        return max(1, Int64(hash & 0x3FFF_FFFF_FFFF_FFFF))
    }
}
