/// Something that an operator has to know, and what to do about it.
struct Finding: Encodable, Sendable, Hashable {
    enum Severity: String, Encodable, Sendable, CaseIterable {
        /// Messages do not go through, or soon will not.
        case critical
        /// Somebody should look at it today.
        case warning
        /// It is as somebody wanted it.
        case information
    }

    var severity: Severity
    /// What it is about: `store`, `registry`, `shard 0`, `group NAME`, `transactions`, `dead letters`, `broker`.
    var subject: String
    var text: String
    var action: String
}
