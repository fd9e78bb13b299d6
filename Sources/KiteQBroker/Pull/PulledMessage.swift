package import KiteQCore

/// A message in the hands of a caller that pulled it.
package struct PulledMessage: Sendable {
    /// What it is acknowledged or refused with, at this broker alone. Opaque text, letters and digits and `-._~:@[]`.
    package var receipt: String
    package var message: Message
    /// 1 for the group's first.
    package var attempt: Int
    /// Unix milliseconds: unless it is answered before, the attempt has failed and the message is delivered again.
    package var visibleAgainAt: Timestamp
}
