/// How a binding's message type is compared with a message's. The raw value is the `bindType` of the JSON in ZooKeeper.
package enum BindKind: Int, Sendable, Hashable, CaseIterable {
    /// Equal, byte for byte.
    case direct = 0
    /// The binding's message type is a regular expression, searched for anywhere in the message's (``BindingPattern``).
    case regx = 1
    /// Every message type of the topic.
    case fanout = 2

    /// The name that the file registry uses: `direct`, `regx` or `fanout`.
    package var name: String {
        switch self {
        case .direct: "direct"
        case .regx: "regx"
        case .fanout: "fanout"
        }
    }

    /// The kind of that name, nil for any other; lower case only.
    package init?(name: some StringProtocol) {
        guard let kind = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = kind
    }
}
