/// What a caller of the administration may do; each role what those before it may.
package enum Role: String, Sendable, Hashable, Comparable, CaseIterable, Codable {
    /// See counts, names and states, and nothing that somebody put into a message: neither body nor properties, nor what a consumer said
    /// of it.
    case counts
    /// See everything but secrets.
    case read
    /// And change things.
    case operate

    package static func < (a: Role, b: Role) -> Bool { a.rank < b.rank }

    private var rank: Int {
        switch self {
        case .counts: 0
        case .read: 1
        case .operate: 2
        }
    }
}
