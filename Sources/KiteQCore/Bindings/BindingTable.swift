/// Answers which groups get a message. Built once for each change of the bindings, then only read: share it freely.
///
/// A look-up costs two hash probes and one run of each regular expression of the topic, within the bounds of ``PatternBudget``;
/// `Routing` in front of it saves even these. Names are compared byte for byte.
package struct BindingTable: Sendable {
    /// A group that gets the message.
    package struct Match: Sendable, Hashable {
        package var group: String
        /// True where any of the matching bindings is persistent.
        package var persistent: Bool
        /// The greatest of the matching bindings' watermarks, in messages a second; 0 where all say "the default".
        package var watermark: Int

        package init(group: String, persistent: Bool, watermark: Int) {
            self.group = group
            self.persistent = persistent
            self.watermark = watermark
        }
    }

    /// A binding that matches nothing, and why, as one sentence to be logged once.
    package struct Rejection: Sendable, Hashable {
        package var binding: Binding
        package var reason: String
    }

    /// Of one group's bindings of one topic those that match nothing for one reason.
    package struct Rejections: Sendable, Hashable {
        package var group: String
        package var topic: String
        package var reason: String
        package var count: Int
    }

    private struct Topic: Sendable {
        /// What gets every message of the topic.
        var fanout: [Match] = []
        var direct: [BindingName: [Match]] = [:]
        /// Each once, by rising numbers.
        var expressions: [TopicExpressions.Expression] = []
        /// Whom each is for, by its number.
        var matches: [Int: [Match]] = [:]
        var work = 0
        /// Bindings were left out that may match.
        var isCut = false

        /// The place of the first expression that was not tried by then.
        func firstNew(after tried: Int) -> Int {
            guard let last = expressions.last, last.number >= tried else { return expressions.endIndex }
            return expressions.firstIndex { $0.number >= tried } ?? expressions.endIndex
        }
    }

    /// What the table was built from, without the rejected, in the order given.
    package let bindings: [Binding]
    package let rejected: [Rejection]
    /// Groups that ask not to be kept for in some binding: who gets a message may depend on whether they are here.
    package let volatileGroups: Set<BindingName>
    private let topics: [BindingName: Topic]
    /// By topic and text.
    private let compiled: [BindingName: [BindingName: TopicExpressions.Known]]
    /// All its expressions have smaller numbers.
    private let end: Int

    package static let empty = BindingTable([])

    /// Compiles the regular expressions; what cannot be used lands in ``rejected``.
    /// - Parameters:
    ///   - old: the table before this one. Expressions that are in both are taken over, with all that was found of them.
    ///   - isBounded: false for what was within the bounds already.
    package init(_ bindings: some Sequence<Binding>, after old: BindingTable? = nil, isBounded: Bool = true) {
        let bindings = Array(bindings)
        var reasons: [Int: String] = [:]
        for (place, binding) in bindings.enumerated() {
            if let problem = binding.problem { reasons[place] = "the binding \(problem)" }
        }
        var topics: [BindingName: Topic] = [:]
        var compiled: [BindingName: [BindingName: TopicExpressions.Known]] = [:]
        let regular = bindings.indices.filter { reasons[$0] == nil && bindings[$0].kind == .regx }
        for (name, places) in Dictionary(grouping: regular, by: { BindingName(bindings[$0].topic) }) {
            let expressions = TopicExpressions(bindings, places, old?.compiled[name] ?? [:], isBounded: isBounded)
            compiled[name] = expressions.known
            for (place, reason) in expressions.reasons { reasons[place] = reason }
            topics[name, default: Topic()].isCut = expressions.isCut
        }
        for (place, binding) in bindings.enumerated() where reasons[place] == nil {
            let match = Match(
                group: binding.group, persistent: binding.persistent, watermark: max(0, binding.watermark))
            let (topic, text) = (BindingName(binding.topic), BindingName(binding.messageType))
            switch binding.kind {
            case .direct: topics[topic, default: Topic()].direct[text, default: []].append(match)
            case .fanout: topics[topic, default: Topic()].fanout.append(match)
            case .regx:
                guard case .inForce(let expression)? = compiled[topic]?[text] else { continue }
                topics[topic, default: Topic()].matches[expression.number, default: []].append(match)
            }
        }
        for (name, known) in compiled {
            let inForce = known.values.compactMap { if case .inForce(let expression) = $0 { expression } else { nil } }
            topics[name]?.expressions = inForce.sorted { $0.number < $1.number }
            topics[name]?.work = inForce.reduce(0) { $0 + $1.work }
        }
        self.bindings = bindings.enumerated().filter { reasons[$0.offset] == nil }.map(\.element)
        rejected = reasons.sorted { $0.key < $1.key }.map { Rejection(binding: bindings[$0.key], reason: $0.value) }
        volatileGroups = Set(self.bindings.lazy.filter { !$0.persistent }.map { BindingName($0.group) })
        self.topics = topics
        self.compiled = compiled
        end = PatternMatches.nextNumber()
    }

    /// Whether it is the same table, or a copy of it.
    package func isSame(as other: BindingTable) -> Bool { end == other.end }

    /// The rejected ones together, in the order of their groups and topics.
    package var rejections: [Rejections] { Self.together(rejected) }

    /// Those that another table did not reject.
    package func newlyRejected(since old: BindingTable) -> [Rejections] {
        let known = Set(old.rejected)
        return Self.together(rejected.filter { !known.contains($0) })
    }

    private static func together(_ rejected: [Rejection]) -> [Rejections] {
        struct Key: Hashable {
            var group: BindingName
            var topic: BindingName
            var reason: String
        }
        let byKey = Dictionary(grouping: rejected) {
            Key(group: BindingName($0.binding.group), topic: BindingName($0.binding.topic), reason: $0.reason)
        }
        return byKey.sorted {
            ($0.key.group, $0.key.topic, $0.key.reason) < ($1.key.group, $1.key.topic, $1.key.reason)
        }
        .map { key, rejected in
            Rejections(
                group: key.group.text, topic: key.topic.text, reason: key.reason, count: rejected.count)
        }
    }

    // MARK: Looking up

    /// The groups that get a message of this topic and type: each once, sorted by the bytes of its name, so that equal
    /// sets come out equal. Tries all expressions: that may take a tenth of a second.
    package func groups(topic: String, messageType: String) -> [Match] {
        groups(topic: topic, messageType: messageType, matches(topic: topic, messageType: messageType, known: nil))
    }

    /// The same, for bindings that others decide by, and perhaps not all of them; none where expressions of the topic were over a
    /// bound: those of another choice may be in force there.
    package func groupsIfAllCount(topic: String, messageType: String) -> [Match] {
        topics[BindingName(topic)]?.isCut == true ? [] : groups(topic: topic, messageType: messageType)
    }

    /// How much work it is to try what was not tried yet, in steps of some nanoseconds; 0 where all is known.
    package func work(topic: String, messageType: String, known: PatternMatches?) -> Int {
        guard let topic = topics[BindingName(topic)], !topic.expressions.isEmpty else { return 0 }
        guard let known else { return topic.work * (messageType.utf8.count + 1) }
        let work = topic.expressions.suffix(from: topic.firstNew(after: known.tried)).reduce(0) { $0 + $1.work }
        return work * (messageType.utf8.count + 1)
    }

    /// Tries the expressions of the topic that were not tried yet.
    package func matches(topic: String, messageType: String, known: PatternMatches?) -> PatternMatches {
        var matches = known ?? PatternMatches()
        guard matches.tried < end else { return matches }
        if let topic = topics[BindingName(topic)], !topic.expressions.isEmpty {
            // Those that are gone come back under another number.
            matches.matched.removeAll { topic.matches[$0] == nil }
            let new = topic.expressions.suffix(from: topic.firstNew(after: matches.tried))
            if !new.isEmpty {
                var subject = BindingPattern.Subject(messageType)
                for expression in new where expression.program.matches(&subject) {
                    matches.matched.append(expression.number)
                }
            }
        } else {
            matches.matched = []
        }
        matches.tried = end
        return matches
    }

    /// The groups, by what was found out of the expressions.
    package func groups(topic: String, messageType: String, _ matches: PatternMatches) -> [Match] {
        guard let topic = topics[BindingName(topic)] else { return [] }
        var found = topic.fanout
        if let direct = topic.direct[BindingName(messageType)] { found += direct }
        for number in matches.matched { if let matches = topic.matches[number] { found += matches } }
        return Self.merged(found)
    }

    private static func merged(_ matches: [Match]) -> [Match] {
        guard matches.count > 1 else { return matches }
        var result: [Match] = []
        result.reserveCapacity(matches.count)
        for match in matches.sorted(by: { BindingName($0.group) < BindingName($1.group) }) {
            if let last = result.last, BindingName(last.group) == BindingName(match.group) {
                result[result.count - 1].persistent = last.persistent || match.persistent
                result[result.count - 1].watermark = max(last.watermark, match.watermark)
            } else {
                result.append(match)
            }
        }
        return result
    }
}
