package import KiteQCore

/// Who gets what, and who is connected where.
package struct Topology: Sendable, Hashable {
    /// A topic and type of messages, and the groups that are bound to it, as indices.
    package struct Kind: Sendable, Hashable {
        package let topic: String
        package let messageType: String
        package let groups: [Int]
    }

    package static let groups = ["s-ledger", "s-mail", "s-audit"]
    package static let kinds = [
        Kind(topic: "trade", messageType: "paid", groups: [0, 1]),
        Kind(topic: "trade", messageType: "refunded", groups: [0, 1, 2]),
        Kind(topic: "stock", messageType: "reserved", groups: [0, 2]),
    ]
    package static let topics = Set(kinds.map(\.topic)).sorted()

    package static var bindings: [Binding] {
        kinds.flatMap { kind in
            kind.groups.map { Binding(group: groups[$0], topic: kind.topic, messageType: kind.messageType) }
        }
    }

    /// Groups that publish: the first is connected to every broker, the second to the last one only.
    package static let publishers = ["p-shop", "p-desk"]

    package let brokers: Int

    package init(brokers: Int) {
        self.brokers = brokers
    }

    /// The last group consumes from the first broker only, whichever broker has its messages.
    package func brokers(ofGroup group: Int) -> [Int] {
        group == Self.groups.count - 1 ? [0] : Array(0..<brokers)
    }

    package func brokers(ofPublisher publisher: Int) -> [Int] {
        publisher == Self.publishers.count - 1 ? [brokers - 1] : Array(0..<brokers)
    }
}
