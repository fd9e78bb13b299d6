package import KiteQCore

/// How large a body may be, by the groups that it is for: what a consumer cannot take is refused while its
/// producer can still hear of it, and not when its attempts are used up.
package struct BodyLimits: Sendable, Hashable {
    private let groups: [BindingName: Int]

    package init(groups: [BindingName: GroupAccess] = [:]) {
        self.groups = groups.compactMapValues(\.maxBody)
    }

    /// Why a body of so many bytes is refused, for its producer; nil where it is not.
    package func refusal(of bytes: Int, route: Route) -> String? {
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
