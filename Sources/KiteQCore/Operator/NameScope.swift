/// The topics and groups that somebody may see and act on. Names count by their bytes.
///
/// What is about a topic and a group is within a scope where both are. A half message, and one that died undecided, is its publisher's:
/// it is owed to nobody yet.
package struct NameScope: Sendable, Hashable {
    /// Nil: all of them; empty: none.
    package var topics: Set<BindingName>?
    package var groups: Set<BindingName>?

    /// Everything.
    package static let all = NameScope()

    package init(topics: Set<BindingName>? = nil, groups: Set<BindingName>? = nil) {
        self.topics = topics
        self.groups = groups
    }

    /// Whether nothing is outside of it.
    package var isAll: Bool { topics == nil && groups == nil }

    package func has(topic: String) -> Bool { topics?.contains(BindingName(topic)) ?? true }
    package func has(group: String) -> Bool { groups?.contains(BindingName(group)) ?? true }

    package func has(_ letter: DeadLetter) -> Bool {
        has(topic: letter.topic) && has(group: letter.reason == .undecided ? letter.publisherGroup : letter.group)
    }

    package func has(_ transaction: OpenTransaction) -> Bool {
        has(topic: transaction.topic) && has(group: transaction.publisherGroup)
    }
}

extension MessageStory {
    /// What of it is within a scope: where it stands for other groups, and their letters, are left out. Nil where it is owed to
    /// no group of the scope, and is no half message of one.
    package func within(_ scope: NameScope) -> MessageStory? {
        guard !scope.isAll else { return self }
        guard let topic = message?.topic ?? deadLetters.first?.topic else {
            // Only a decision is left of it, which does not say of what topic it was.
            guard scope.topics == nil, let transaction, scope.has(group: transaction.publisherGroup) else { return nil }
            return self
        }
        guard scope.has(topic: topic) else { return nil }
        let letters = deadLetters.filter(scope.has)
        let groups = groups.filter { scope.has(group: $0.group) }
        let isTheirs = message.map { $0.state == .half && scope.has(group: $0.publisherGroup) } ?? false
        guard scope.groups == nil || isTheirs || !groups.isEmpty || !letters.isEmpty else { return nil }
        return MessageStory(
            id: id, shard: shard, message: message, content: content, groups: groups,
            transaction: transaction.flatMap { scope.has(group: $0.publisherGroup) ? $0 : nil }, deadLetters: letters)
    }

    /// Its topic and its publisher's group, by which it counts while nobody has decided it; nil where neither a row nor a letter is left.
    package var origin: (topic: String, publisherGroup: String)? {
        if let message { return (message.topic, message.publisherGroup) }
        let letter = deadLetters.last { $0.reason == .undecided } ?? deadLetters.last
        return letter.map { ($0.topic, $0.publisherGroup) }
    }
}
