import KiteQCore

/// Publishes that brought nothing to deliver, by topic: of the topics that are served, so that the producers' words make no
/// memory grow. What was stored is counted where it is delivered.
final class TopicPublishes: Sendable {
    private struct Counts: Sendable {
        let refused = Counter()
        let unrouted = Counter()
    }

    private let topics: [BindingName: Counts]

    init(_ topics: some Sequence<String>) {
        self.topics = Dictionary(topics.map { (BindingName($0), Counts()) }, uniquingKeysWith: { first, _ in first })
    }

    func refused(_ count: Int, of topic: String) { topics[BindingName(topic)]?.refused.add(count) }
    func unrouted(of topic: String) { topics[BindingName(topic)]?.unrouted.add(1) }

    func refused(of topic: String) -> Int { topics[BindingName(topic)]?.refused.count ?? 0 }
    func unroutedCount(of topic: String) -> Int { topics[BindingName(topic)]?.unrouted.count ?? 0 }
}
