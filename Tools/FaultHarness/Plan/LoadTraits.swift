/// What a load has besides the usual: each is what a service meets some day.
package struct LoadTraits: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Of several brokers the last serves one topic alone, and publishers do not know that.
    package static let topics = LoadTraits(rawValue: 1)
    /// Some handlers need longer than the brokers' delivery timeout.
    package static let slow = LoadTraits(rawValue: 2)
    /// Consumers lose their connection whenever they handle certain messages.
    package static let deadly = LoadTraits(rawValue: 4)
    /// Bodies of 1 byte to nearly 2 MiB; the brokers' memory is bounded and watched.
    package static let sizes = LoadTraits(rawValue: 8)
    /// Ids are used again: after an ack, after a roll back, over a half message that is undecided.
    package static let ids = LoadTraits(rawValue: 16)

    /// Each by its name on the command line.
    package static let named: KeyValuePairs<String, LoadTraits> = [
        "topics": .topics, "slow": .slow, "deadly": .deadly, "sizes": .sizes, "ids": .ids,
    ]

    /// Nil for a name that there is not.
    package init?(_ name: some StringProtocol) {
        guard let trait = Self.named.first(where: { $0.key == name }) else { return nil }
        self = trait.value
    }

    package var names: [String] { Self.named.filter { contains($0.value) }.map(\.key) }
}
