/// Which undone messages are meant. Names count by their bytes.
///
/// Without a group, a page reads a bounded range of the messages by seq (half and tracked ones by an index of their own) and
/// leaves out what does not fit. With a group it reads the messages that are owed to it.
package struct MessageFilter: Sendable, Hashable {
    package var topic: String?
    package var messageType: String?
    /// Owed to this group. A half message is owed to nobody yet.
    package var group: String?
    package var state: StoredMessage.State?
    /// Accepted at this time or later, Unix milliseconds.
    package var acceptedFrom: Timestamp?
    /// Accepted before this time.
    package var acceptedBefore: Timestamp?
    /// Whose they are who asks. Of the groups of a message that is not half a row does not tell: without ``group`` there are only half
    /// ones where this names groups.
    package var scope = NameScope.all

    package init() {}

    /// The seqs that the times stand for: above the first, below the second.
    package var seqs: (above: Int64, below: Int64) {
        (
            acceptedFrom.map { SequenceGenerator.smallest(at: $0) - 1 } ?? -1,
            acceptedBefore.map { SequenceGenerator.smallest(at: $0) } ?? Int64.max
        )
    }

    /// Topic, message type, state and times; of the group a row does not tell.
    package func matches(_ message: MessageSummary) -> Bool {
        if let topic, !topic.utf8.elementsEqual(message.topic.utf8) { return false }
        if let messageType, !messageType.utf8.elementsEqual(message.messageType.utf8) { return false }
        if let state, state != message.state { return false }
        guard scope.has(topic: message.topic), isGroupInScope(message) else { return false }
        let seqs = seqs
        return message.seq > seqs.above && message.seq < seqs.below
    }

    private func isGroupInScope(_ message: MessageSummary) -> Bool {
        guard scope.groups != nil else { return true }
        if message.state == .half { return scope.has(group: message.publisherGroup) }
        return group.map { scope.has(group: $0) } ?? false
    }
}

extension MessageFilter {
    /// Whether each entry of the range that is read is one that is meant.
    package var isAnsweredByRange: Bool {
        topic == nil && messageType == nil && group == nil && state != .fresh && scope.isAll
    }
}
