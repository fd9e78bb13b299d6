import KiteQCore

/// Publishes by topic, as far as the delivery machine does not see them: of the topics that are served, so that no producer's
/// word makes memory grow.
final class TopicPublishes: Sendable {
    struct Counts: Sendable {
        /// Refused, whoever's fault it was.
        let refused = Counter()
        /// Accepted, and nobody is bound to them.
        let unrouted = Counter()
        /// Half messages that were stored,
        let half = Counter()
        /// and those that were committed, and delivered from then on,
        let committed = Counter()
        /// or for nobody.
        let committedForNobody = Counter()
    }

    private let topics: [BindingName: Counts]

    init(_ topics: some Sequence<String>) {
        self.topics = Dictionary(topics.map { (BindingName($0), Counts()) }, uniquingKeysWith: { first, _ in first })
    }

    subscript(topic: String) -> Counts? { topics[BindingName(topic)] }
}
