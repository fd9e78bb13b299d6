/// The topics that a broker serves, each byte for byte.
///
/// Every publish asks. Most brokers have a few topics: to compare a name with those is cheaper than to hash it.
package struct ServedTopics: Sendable {
    private static let fewAtMost = 8

    private let names: Set<BindingName>
    /// All of them, where they are few.
    private let few: [BindingName]?

    package init(_ topics: some Sequence<String>) {
        names = Set(topics.map(BindingName.init))
        few = names.count <= Self.fewAtMost ? Array(names) : nil
    }

    package func contains(_ topic: String) -> Bool {
        let name = BindingName(topic)
        guard let few else { return names.contains(name) }
        return few.contains(name)
    }
}
