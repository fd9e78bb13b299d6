/// Something that a person, or a script of theirs, did or was refused.
package struct AuditEntry: Sendable, Hashable {
    /// Rises with each entry; 0 before it is written.
    package var id: Int64
    /// By the first shard's clock; what an entry to be written has is not used.
    package var at: Timestamp
    /// The token's name, or how the person was known.
    package var actor: String
    package var role: String
    /// Where the request came from.
    package var remote: String
    /// Such as `deadLetters.requeue`.
    package var action: String
    /// What was acted on: a group, a message id.
    package var target: String
    /// JSON.
    package var detail: String
    /// `done`, `refused`, or why it failed.
    package var outcome: String

    /// The longest text of each field but `detail`, in UTF-8 bytes; what is longer is cut.
    package static let textLimit = 255
    package static let detailLimit = 16 << 10

    package init(
        id: Int64 = 0, at: Timestamp = 0, actor: String, role: String, remote: String, action: String, target: String,
        detail: String = "{}", outcome: String
    ) {
        self.id = id
        self.at = at
        self.actor = actor
        self.role = role
        self.remote = remote
        self.action = action
        self.target = target
        self.detail = detail
        self.outcome = outcome
    }
}
