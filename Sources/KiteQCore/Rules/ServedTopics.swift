/// The topics that a broker serves, each byte for byte, with what their messages may be.
///
/// Every publish asks. Most brokers have a few topics: to compare a name with those is cheaper than to hash it.
package struct ServedTopics: Sendable {
    private static let fewAtMost = 8

    private let bounds: [BindingName: PublishBounds]
    /// All of them, where they are few.
    private let few: [(name: BindingName, bounds: PublishBounds)]?

    package init(_ topics: some Sequence<String>, _ catalog: TopicCatalog = TopicCatalog()) {
        bounds = Dictionary(
            topics.map { (BindingName($0), catalog[BindingName($0)].publishing) },
            uniquingKeysWith: { first, _ in first })
        few = bounds.count <= Self.fewAtMost ? bounds.map { ($0.key, $0.value) } : nil
    }

    package func contains(_ topic: String) -> Bool { self[topic] != nil }

    /// Nil of a topic that is not served.
    package subscript(topic: String) -> PublishBounds? {
        let name = BindingName(topic)
        guard let few else { return bounds[name] }
        for index in few.indices where few[index].name == name { return few[index].bounds }
        return nil
    }
}
