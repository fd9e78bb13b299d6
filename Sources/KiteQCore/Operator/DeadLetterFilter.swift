/// Which dead letters are meant. Names count by their bytes, times are Unix milliseconds.
///
/// A shard has one index for a group, one for a topic and one for the time of death. The rows of a page are read by one of
/// them, the group's before the topic's before the time's; what it does not answer is looked at row by row. So a page reads
/// a bounded number of rows whatever is asked for, and may hold fewer letters than it read.
package struct DeadLetterFilter: Sendable, Hashable {
    package var topic: String?
    package var group: String?
    package var reasons: Set<DeadLetterReason> = Set(DeadLetterReason.allCases)
    /// Died at this time or later.
    package var diedFrom: Timestamp?
    /// Died before this time.
    package var diedBefore: Timestamp?
    /// Whose they are who asks.
    package var scope = NameScope.all

    package init() {}

    /// The index that a page is read by. Under a name rows come by (reason, id), so each reason is a range of its own.
    package enum Range: Hashable {
        case group(String)
        case topic(String)
        case time
    }

    package var range: Range {
        if let group { return .group(group) }
        if let topic { return .topic(topic) }
        // An undecided one has no group, and no other has none.
        if reasons == [.undecided] { return .group("") }
        return .time
    }

    /// Whether each row of the range is one that is meant.
    package var isAnsweredByRange: Bool {
        guard scope.isAll else { return false }
        return switch range {
        case .group: topic == nil && diedFrom == nil && diedBefore == nil
        case .topic: diedFrom == nil && diedBefore == nil
        case .time: reasons.count == DeadLetterReason.allCases.count
        }
    }

    package func matches(_ letter: DeadLetter) -> Bool {
        if let topic, !topic.utf8.elementsEqual(letter.topic.utf8) { return false }
        if let group, !group.utf8.elementsEqual(letter.group.utf8) { return false }
        if let diedFrom, letter.diedAt < diedFrom { return false }
        if let diedBefore, letter.diedAt >= diedBefore { return false }
        return reasons.contains(letter.reason) && scope.has(letter)
    }
}
