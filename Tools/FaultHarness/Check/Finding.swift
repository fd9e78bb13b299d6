/// Something that must not be.
package struct Finding: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Stored and wanted, but neither delivered nor among the dead letters.
        case lost
        /// Stored and wanted, but delivered only after the brokers had been restarted for that.
        case stranded
        /// Stored, though its sender was told that it is not.
        case falselyRefused = "falsely refused"
        /// Delivered or buried although it must not be.
        case wrong
        /// Delivered again without a fault that could be the reason.
        case unexplained
    }

    package var kind: Kind
    package var message: UInt32
    /// Nil: it is no one group's.
    package var group: Int?
    package var reason: String

    package init(_ kind: Kind, message: UInt32, group: Int? = nil, _ reason: String) {
        self.kind = kind
        self.message = message
        self.group = group
        self.reason = reason
    }
}
