/// Why a call of ``Messaging`` did nothing, in a sentence for a person.
package struct MessagingError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// What was asked for is not allowed or makes no sense.
        case invalid
        /// The group has no right to it, or it is none of this broker's business.
        case forbidden
        /// It is not done this way at this broker; asking again does not help.
        case unsupported
        /// Too much is waiting or not yet acknowledged; later there may be room.
        case tooMany
        /// The caller has no room for what there is; it went back, and was no attempt.
        case noRoom
        /// The broker stops: ask another one.
        case stopping
        /// The store or the registry does not answer, or this broker was declared dead and joins anew; try again.
        case unavailable
    }

    package let code: Code
    package let description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
