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
    /// Whether the last broker serves one topic alone.
    package let isSplit: Bool

    package init(brokers: Int, traits: LoadTraits = []) {
        self.brokers = brokers
        isSplit = traits.contains(.topics) && brokers > 1
    }

    package func topics(ofBroker broker: Int) -> [String] {
        isSplit && broker == brokers - 1 ? Array(Self.topics.prefix(1)) : Self.topics
    }

    /// Who publishes a message instead of this publisher, where none of its brokers would take it.
    package func publisher(_ publisher: Int, ofTopic topic: String) -> Int {
        brokers(ofPublisher: publisher).contains { topics(ofBroker: $0).contains(topic) } ? publisher : 0
    }

    /// Whether a consumer tells its broker that a handler is at work; where some are slow the others do not, as clients of other makes.
    package static func tellsOfWork(consumer: Int) -> Bool { consumer == 0 }

    /// The last group consumes from the first broker only, whichever broker has its messages.
    package func brokers(ofGroup group: Int) -> [Int] {
        group == Self.groups.count - 1 ? [0] : Array(0..<brokers)
    }

    package func brokers(ofPublisher publisher: Int) -> [Int] {
        publisher == Self.publishers.count - 1 ? [brokers - 1] : Array(0..<brokers)
    }
}
