/// What holds for the messages of one topic.
package struct TopicSettings: Sendable, Hashable {
    package var publishing = PublishBounds()
    /// When a failed delivery is tried again.
    package var redelivery = RedeliverySchedule()
    /// How long a consumer has for its DELIVER_ACK (docs/protocol.md#delivery: 5 s): nanoseconds. For now one for all topics: a
    /// client's deadlines are in the order of its deliveries (`InFlightWindow`).
    package var answerTime: MonotonicTime = 5_000_000_000

    package init() {}
}

/// What a topic's messages may be. Plain numbers: every publish asks for them.
package struct PublishBounds: Sendable, Hashable {
    /// The largest body, in bytes.
    package var maxBody = Int.max
    /// The longest life, and that of a message that names none: milliseconds.
    package var longestLife: Timestamp = PublishRules.maxLifetime
    /// The most attempts, and those of a message that names none.
    package var mostAttempts = PublishRules.maxDeliverLimit

    package init() {}

    /// Why a body of so many bytes is refused, for its producer; nil where it is not.
    package func refusal(ofBody bytes: Int, topic: String) -> String? {
        bytes <= maxBody
            ? nil : "the body has \(bytes) bytes, and topic \(topic) takes at most \(maxBody) (topics.max_body)"
    }
}

/// The settings of every topic: of those that have some of their own, and of all others.
package struct TopicCatalog: Sendable {
    package let defaults: TopicSettings
    private let own: [BindingName: TopicSettings]

    package init(defaults: TopicSettings = TopicSettings(), own: [BindingName: TopicSettings] = [:]) {
        self.defaults = defaults
        self.own = own
    }

    package subscript(topic: BindingName) -> TopicSettings { own[topic] ?? defaults }

    /// Before the next attempt of a delivery of any topic, milliseconds.
    package var longestWait: Timestamp {
        own.values.reduce(defaults.redelivery.longestWait) { max($0, $1.redelivery.longestWait) }
    }
}
