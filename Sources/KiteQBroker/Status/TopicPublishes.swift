import KiteQCore
import Synchronization

/// Publishes by topic, as far as the delivery machine does not see them: of the topics that are served, or once were, so that
/// no producer's word makes memory grow.
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

    private let topics = Mutex([BindingName: Counts]())

    init(_ topics: some Sequence<String>) { add(topics) }

    /// Counts these from now on; one that is known goes on as before.
    func add(_ names: some Sequence<String>) {
        topics.withLock { topics in
            for name in names.map(BindingName.init) where topics[name] == nil { topics[name] = Counts() }
        }
    }

    subscript(topic: String) -> Counts? { topics.withLock { $0[BindingName(topic)] } }
}
