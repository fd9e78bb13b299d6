import KiteQCore
import Logging
import Synchronization

/// Tells of bindings that count for nothing, and of those in force. Groups declare their own as often as they like: three lines a
/// minute for each group, topic and kind, 20 for each kind, and how many were left out.
final class BindingLog: Sendable {
    private enum Kind { case forbidden, rejected, inForce }

    private let throttle = Mutex(PlaceThrottle<Kind>(ofPlace: 3, ofKind: 20))
    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    /// - Parameter bindings: of groups that may not subscribe to their topics.
    func ignore(_ bindings: Set<Binding>) {
        struct Place: Hashable {
            var group: BindingName
            var topic: BindingName
        }
        let places = Dictionary(grouping: bindings) {
            Place(group: BindingName($0.group), topic: BindingName($0.topic))
        }
        for (place, bindings) in places.sorted(by: { ($0.key.group, $0.key.topic) < ($1.key.group, $1.key.topic) }) {
            let what = bindings.count == 1 ? "a binding is ignored" : "\(bindings.count) bindings are ignored"
            write(
                .forbidden, "\(what): the group may not subscribe to the topic (see groups.file)",
                (place.group.text, place.topic.text))
        }
    }

    func reject(_ rejections: [BindingTable.Rejections]) {
        for rejection in rejections {
            write(
                .rejected, "\(rejection.count) bindings match nothing: \(rejection.reason)",
                (rejection.group, rejection.topic))
        }
    }

    func inForce(_ bindings: Int, topics: Int) {
        guard let left = throttle.withLock({ $0.admit(.inForce, from: "\(topics)/\(bindings)", now: .now) }) else {
            return
        }
        logger.info("\(bindings) bindings of \(topics) topics are in force\(Self.others(left))")
    }

    private func write(_ kind: Kind, _ line: String, _ place: (group: String, topic: String)) {
        let name = "\(place.group) \(place.topic)"
        guard let left = throttle.withLock({ $0.admit(kind, from: name, now: .now) }) else { return }
        logger.warning(
            "\(line)\(Self.others(left))", metadata: ["group": "\(place.group)", "topic": "\(place.topic)"])
    }

    private static func others(_ count: Int) -> String {
        count > 0 ? " (\(count) more such lines were left out)" : ""
    }
}
