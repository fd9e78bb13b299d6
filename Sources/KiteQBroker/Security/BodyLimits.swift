package import KiteQCore

/// How large a body may be, by topic and by the groups that it is for: what a consumer cannot take is refused while its
/// producer can still hear of it, and not when its attempts are used up.
package struct BodyLimits: Sendable, Hashable {
    private let topics: [BindingName: Int]
    private let groups: [BindingName: Int]

    package init(topics: [String: Int] = [:], groups: [BindingName: GroupAccess] = [:]) {
        self.topics = Dictionary(topics.map { (BindingName($0.key), $0.value) }, uniquingKeysWith: { min($0, $1) })
        self.groups = groups.compactMapValues(\.maxBody)
    }

    /// Why a body of so many bytes is refused, for its producer; nil where it is not.
    package func refusal(of bytes: Int, topic: String, route: Route) -> String? {
        if !topics.isEmpty, let limit = topics[BindingName(topic)], bytes > limit {
            return "the body has \(bytes) bytes, and topic \(topic) takes at most \(limit) (topics.max_body)"
        }
        if groups.isEmpty { return nil }
        for member in route.members {
            if let limit = groups[BindingName(member.group)], bytes > limit {
                return
                    "the body has \(bytes) bytes, and group \(member.group) takes at most \(limit) (max_body in groups.file)"
            }
        }
        return nil
    }
}
