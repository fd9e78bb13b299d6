/// What became of an acknowledgement or a refusal by receipt.
package enum SettleOutcome: Sendable, Hashable {
    case settled
    /// Its time was up and the message has gone on, or it was answered before, or no delivery of this broker's life had it.
    case tooLate
    /// The delivery is another group's. Nothing was changed.
    case notYours
    /// This broker gave the receipt, and only it can take it back.
    case otherBroker(name: String)
    /// Not a receipt.
    case malformed
}
