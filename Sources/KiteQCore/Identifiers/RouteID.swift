/// The identity of a ``Route``, and the `route` column of a message. That of a route is positive.
package typealias RouteID = Int64

extension Route {
    /// What the `route` column of a half message has: its groups are not fixed yet.
    package static let halfID: RouteID = 0
    /// What it has once delivery rows say who is owed the message.
    package static let trackedID: RouteID = -1

    /// The identity of members that are sorted, each group once: FNV-1a of 64 bits over the bytes of each group, each closed
    /// by a byte that UTF-8 never has and that says whether it is persistent; of that the lower 62 bits, and 1 for 0.
    ///
    /// It is stored, and must never change. Two sets meet in one id with a chance of n² / 2⁶³ among n sets; the store keeps
    /// the members too, and finds out.
    static func identity(ofSorted members: [Member]) -> RouteID {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        for member in members {
            for byte in member.group.utf8 { mix(byte) }
            mix(member.persistent ? 0xFF : 0xFE)
        }
        return max(1, RouteID(hash & 0x3FFF_FFFF_FFFF_FFFF))
    }
}
