/// The topics that a broker serves, each byte for byte, with their settings.
///
/// Every publish asks. Most brokers have a few topics: to compare a name with those is cheaper than to hash it.
package struct ServedTopics: Sendable {
    private static let fewAtMost = 8

    private let settings: [BindingName: TopicSettings]
    /// All of them, where they are few.
    private let few: [(name: BindingName, settings: TopicSettings)]?

    package init(_ topics: some Sequence<String>, _ catalog: TopicCatalog = TopicCatalog()) {
        settings = Dictionary(
            topics.map { (BindingName($0), catalog[BindingName($0)]) }, uniquingKeysWith: { first, _ in first })
        few = settings.count <= Self.fewAtMost ? settings.map { ($0.key, $0.value) } : nil
    }

    package func contains(_ topic: String) -> Bool { self[topic] != nil }

    /// Nil of a topic that is not served.
    package subscript(topic: String) -> TopicSettings? {
        let name = BindingName(topic)
        guard let few else { return settings[name] }
        return few.first { $0.name == name }?.settings
    }
}
