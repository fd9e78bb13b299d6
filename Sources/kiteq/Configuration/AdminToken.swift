/// Somebody who may use the administration's address: known by the hash of a token, which is nowhere.
struct AdminToken: Sendable, Hashable {
    enum Role: String, Sendable, Hashable, CaseIterable {
        /// To look.
        case read
        /// To look and to act.
        case operate
    }

    /// For the audit log.
    var name: String
    var role: Role
    /// SHA-256 of the token, 32 bytes.
    var hash: [UInt8]
    /// Unix seconds from which on it is void; nil: never.
    var expiresAt: Int?
}
