/// What a caller of the administration may do.
package enum Role: String, Sendable, Hashable, Comparable, CaseIterable, Codable {
    /// See everything but secrets.
    case read
    /// And change things.
    case operate

    package static func < (a: Role, b: Role) -> Bool { a == .read && b == .operate }
}
