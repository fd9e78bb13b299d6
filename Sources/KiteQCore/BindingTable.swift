/// Answers which groups get a message. Built once for each change of the bindings, then only read: share it freely.
///
/// A look-up costs two hash probes and one run of each regular expression of the topic; `Routing` in front of it
/// saves even these. Names are compared byte for byte.
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

    private struct Topic: Sendable {
        /// What gets every message of the topic.
        var fanout: [Match] = []
        var direct: [BindingName: [Match]] = [:]
        var patterns: [(pattern: BindingPattern, match: Match)] = []
    }

    /// What the table was built from, without the rejected, in the order given.
    package let bindings: [Binding]
    package let rejected: [Rejection]
    private let topics: [BindingName: Topic]

    package static let empty = BindingTable([])

    /// Compiles the regular expressions; what cannot be used lands in ``rejected``.
    package init(_ bindings: some Sequence<Binding>) {
        var accepted: [Binding] = []
        var rejected: [Rejection] = []
        var topics: [BindingName: Topic] = [:]
        for binding in bindings {
            if let problem = binding.problem {
                rejected.append(Rejection(binding: binding, reason: "the binding \(problem)"))
                continue
            }
            let match = Match(
                group: binding.group, persistent: binding.persistent, watermark: max(0, binding.watermark))
            let topic = BindingName(binding.topic)
            switch binding.kind {
            case .direct:
                topics[topic, default: Topic()].direct[BindingName(binding.messageType), default: []].append(match)
            case .fanout:
                topics[topic, default: Topic()].fanout.append(match)
            case .regx:
                do {
                    let pattern = try BindingPattern(binding.messageType)
                    topics[topic, default: Topic()].patterns.append((pattern, match))
                } catch {
                    let reason = "the regular expression of the binding does not compile: \(error)"
                    rejected.append(Rejection(binding: binding, reason: reason))
                    continue
                }
            }
            accepted.append(binding)
        }
        self.bindings = accepted
        self.rejected = rejected
        self.topics = topics
    }

    /// The groups that get a message of this topic and type: each once, sorted by the bytes of its name, so that equal
    /// sets come out equal.
    package func groups(topic: String, messageType: String) -> [Match] {
        guard let topic = topics[BindingName(topic)] else { return [] }
        var found = topic.fanout
        if let direct = topic.direct[BindingName(messageType)] { found += direct }
        if !topic.patterns.isEmpty {
            var subject = BindingPattern.Subject(messageType)
            for (pattern, match) in topic.patterns where pattern.matches(&subject) { found.append(match) }
        }
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
