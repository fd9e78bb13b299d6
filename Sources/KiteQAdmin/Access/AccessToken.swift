import KiteQBroker
package import KiteQCore

/// A token of the administration, as its file has it: never the token itself, only the SHA-256 of it. That is enough, for tokens
/// are made by `kiteq token make` from 256 random bits and cannot be guessed from their hash.
package struct AccessToken: Sendable, Hashable {
    /// Whose it is: what the audit log says.
    package var name: String
    package var role: Role
    /// The topics and groups that it is for.
    package var scope: NameScope
    /// 32 bytes.
    package var hash: [UInt8]
    /// Not valid from this time on; nil: for ever.
    package var expiresAt: Timestamp?

    package init(
        name: String, role: Role, scope: NameScope = .all, hash: [UInt8], expiresAt: Timestamp? = nil
    ) {
        self.name = name
        self.role = role
        self.scope = scope
        self.hash = hash
        self.expiresAt = expiresAt
    }

    package static func hash(of token: String) -> [UInt8] { SHA256.hash(Array(token.utf8)) }
}
