/// Somebody who may use the administration's address: known by the hash of a token, which is nowhere.
struct AdminToken: Sendable, Hashable {
    enum Role: String, Sendable, Hashable, CaseIterable {
        /// To look at counts, names and states.
        case counts
        /// To look at everything.
        case read
        /// To look and to act.
        case operate
    }

    /// For the audit log.
    var name: String
    var role: Role
    /// The topics and groups that it is for; nil: all of them.
    var topics: [String]?
    var groups: [String]?
    /// SHA-256 of the token, 32 bytes.
    var hash: [UInt8]
    /// Unix seconds from which on it is void; nil: never.
    var expiresAt: Int?
}
