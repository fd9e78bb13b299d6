package import KiteQCore

/// The topics that something may be done with.
package enum TopicRights: Sendable, Hashable {
    case all
    case only(Set<BindingName>)

    package static let none = TopicRights.only([])

    package func allows(_ topic: String) -> Bool {
        switch self {
        case .all: true
        case .only(let topics): topics.contains(BindingName(topic))
        }
    }
}
