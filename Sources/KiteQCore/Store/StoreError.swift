/// A store's failure, in a sentence for a person.
package struct StoreError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// The store cannot be reached, or does not answer in time.
        case unavailable
        /// It answers, but takes no writes (read-only, out of disk).
        case refusesWrites
        /// It does not let this broker in: the user, the password, the certificate. No waiting helps, until somebody acts.
        case refused
        /// Its schema or slots are not what this broker needs.
        case notMigrated
        /// This incarnation was declared dead by another broker.
        case fenced
        /// Another process works under this broker's name.
        case nameTaken
        /// Anything else: a mistake of ours or of the server's configuration.
        case failed
    }

    package var code: Code
    package var message: String
    /// The batch may have been stored all the same: the reply was lost.
    package var isOutcomeUnknown: Bool
    package var underlying: (any Error)?

    package init(_ code: Code, _ message: String, isOutcomeUnknown: Bool = false, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.isOutcomeUnknown = isOutcomeUnknown
        self.underlying = underlying
    }

    /// The same may succeed later without anybody doing anything here.
    package var isTemporary: Bool { code == .unavailable || code == .refusesWrites }

    /// What could be written here could be so in another place, or at another time: nothing is wrong with what was asked.
    package var isOutage: Bool { isTemporary || code == .refused }

    package var description: String { message }
}
