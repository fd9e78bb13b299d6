/// What a consumer group wants of one topic.
///
/// A plain record: it can hold what a registry should not have taken; ``problem`` says what is wrong with it, and
/// ``BindingTable`` leaves out what has one.
package struct Binding: Sendable, Hashable {
    /// The longest topic, message type or group, in UTF-8 bytes (the width of the columns that hold them).
    package static let maximumNameLength = 255

    package var group: String
    package var topic: String
    /// A message type, a regular expression or, for fanout, by convention `*`: ``kind`` says which.
    package var messageType: String
    package var kind: BindKind
    /// Messages a second that one broker delivers to the group; 0 or below stands for the broker's default.
    package var watermark: Int
    /// Whether messages are kept for the group while no client of it is connected.
    package var persistent: Bool

    package init(
        group: String, topic: String, messageType: String, kind: BindKind = .direct, watermark: Int = 0,
        persistent: Bool = true
    ) {
        self.group = group
        self.topic = topic
        self.messageType = messageType
        self.kind = kind
        self.watermark = watermark
        self.persistent = persistent
    }

    /// Every message type of a topic.
    package static func fanout(group: String, topic: String, watermark: Int = 0, persistent: Bool = true) -> Self {
        Self(
            group: group, topic: topic, messageType: "*", kind: .fanout, watermark: watermark, persistent: persistent)
    }

    /// Why this binding cannot be used, as a clause that follows "the binding …"; nil for a good one.
    ///
    /// Whether a regular expression compiles is not looked at here.
    package var problem: String? {
        if group.isEmpty { return "names no group" }
        if topic.isEmpty { return "names no topic" }
        for (what, name) in [("group", group), ("topic", topic), ("message type", messageType)]
        where name.utf8.count > Self.maximumNameLength {
            return "has a \(what) of \(name.utf8.count) bytes; at most \(Self.maximumNameLength) are allowed"
        }
        return nil
    }
}

// Names count by their bytes, as everywhere that bindings go: a new spelling of an equal string is a change.
extension Binding {
    package static func == (a: Self, b: Self) -> Bool {
        BindingName(a.group) == BindingName(b.group) && BindingName(a.topic) == BindingName(b.topic)
            && BindingName(a.messageType) == BindingName(b.messageType) && a.kind == b.kind
            && a.watermark == b.watermark && a.persistent == b.persistent
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(BindingName(group))
        hasher.combine(BindingName(topic))
        hasher.combine(BindingName(messageType))
        hasher.combine(kind)
    }
}
