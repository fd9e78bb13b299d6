/// Bounds the work that the regular expressions of bindings make of one message type, by topic and by group.
///
/// Whoever may subscribe may declare expressions, and every new message type of the topic is tried with all of them. What is
/// over the bounds matches nothing, and its group is told so. The rule is the same at every broker, whatever the order in
/// which it learned of the bindings.
package enum PatternBudget {
    /// Expressions that one group may have in one topic.
    package static let mostOfGroup = 200
    /// Work of all expressions of one group in one topic, in instructions and comparisons at each code point of a message type. An
    /// expression such as `^pay-(card|cash)\.` has some 20.
    package static let workOfGroup = 10_000
    /// Of all groups together, where each expression counts once.
    package static let workOfTopic = 50_000

    /// One group's wish to have an expression tried.
    struct Entry {
        var group: BindingName
        var text: BindingName
        var work: Int
    }

    /// Of one group's expressions those that are over the number: the shortest stay.
    static func surplus(_ texts: some Sequence<BindingName>) -> Set<BindingName> {
        let inOrder = Set(texts).sorted { ($0.text.utf8.count, $0) < ($1.text.utf8.count, $1) }
        return Set(inOrder.dropFirst(mostOfGroup))
    }

    /// The entries over the bounds, by their places. No group has an expression twice.
    static func leftOut(_ entries: [Entry]) -> [Int: String] {
        var reasons: [Int: String] = [:]
        let work = entries.map(\.work)
        for places in Dictionary(grouping: entries.indices, by: { entries[$0].group }).values {
            for place in over(places, bound: workOfGroup, costs: work, entries) {
                reasons[place] =
                    "the group's regular expressions of this topic are together more work than a group may make (\(workOfGroup) steps for each character)"
            }
        }
        // What several groups have is tried once, and each bears its part.
        let kept = entries.indices.filter { reasons[$0] == nil }
        let shares = shares(kept, entries)
        let byGroup = Dictionary(grouping: kept) { entries[$0].group }
        let part = fairPart(of: workOfTopic, among: byGroup.values.map { $0.reduce(0) { $0 + shares[$1] } })
        for places in byGroup.values {
            for place in over(places, bound: part, costs: shares, entries) { reasons[place] = topicIsFull }
        }
        // Where some of those who shared one lost it, the others would bear more.
        let left = kept.filter { reasons[$0] == nil }
        for place in overWhole(left, shares: self.shares(left, entries), entries) { reasons[place] = topicIsFull }
        return reasons
    }

    private static let topicIsFull =
        "all regular expressions of this topic are together more work than may be (\(workOfTopic) steps for each character), and this group has more than its part of it"

    /// By place: an expression's work, shared by the groups that have it.
    private static func shares(_ places: [Int], _ entries: [Entry]) -> [Int] {
        let users = Dictionary(grouping: places) { entries[$0].text }.mapValues(\.count)
        var shares = Array(repeating: 0, count: entries.count)
        for place in places {
            let count = users[entries[place].text] ?? 1
            shares[place] = (entries[place].work + count - 1) / count
        }
        return shares
    }

    /// What lies beyond the bound, the least work first.
    private static func over(_ places: [Int], bound: Int, costs: [Int], _ entries: [Entry]) -> [Int] {
        var left = bound
        return places.sorted { (costs[$0], entries[$0].text) < (costs[$1], entries[$1].text) }.filter { place in
            left -= costs[place]
            return left < 0
        }
    }

    /// What lies beyond the topic's bound, each expression counted once; those stay that are least work for each group.
    private static func overWhole(_ places: [Int], shares: [Int], _ entries: [Entry]) -> [Int] {
        var left = workOfTopic
        var isIn: [BindingName: Bool] = [:]
        return places.sorted { (shares[$0], entries[$0].text) < (shares[$1], entries[$1].text) }.filter { place in
            if let known = isIn[entries[place].text] { return !known }
            left -= entries[place].work
            isIn[entries[place].text] = left >= 0
            return left < 0
        }
    }

    /// The most that each may have so that all have no more than `whole` together: who wants less leaves the rest to the others.
    static func fairPart(of whole: Int, among wishes: [Int]) -> Int {
        var left = whole
        for (index, wish) in wishes.sorted().enumerated() {
            let part = left / (wishes.count - index)
            if wish > part { return part }
            left -= wish
        }
        return .max
    }
}
