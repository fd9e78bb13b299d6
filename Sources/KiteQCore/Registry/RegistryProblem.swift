/// Something in the registry that cannot be used as it is. It lasts until it can.
package struct RegistryProblem: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// What is known otherwise stands in: what groups had before, or nothing where they had nothing.
        case leftOut
        /// Nothing is known of a topic's bindings, so it is not served here.
        case hidesTopic(String)
        /// The registry does not take what this process says: clients do not find it, or it is nobody there.
        case refused
    }

    package var kind: Kind
    /// What is the matter and what follows from it, a sentence.
    package var text: String
    /// What to do about it, a sentence.
    package var action: String

    package init(_ kind: Kind, _ text: String, action: String) {
        self.kind = kind
        self.text = text
        self.action = action
    }
}
