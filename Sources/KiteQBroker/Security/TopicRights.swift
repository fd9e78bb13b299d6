package import KiteQCore

/// The topics that something may be done with.
package enum TopicRights: Sendable, Hashable {
    case all
    case only(Set<BindingName>)
    /// Nothing is said of it: it is for others to say, and nothing until then.
    case unsaid

    package static let none = TopicRights.only([])

    package func allows(_ topic: String) -> Bool {
        switch self {
        case .all: true
        case .only(let topics): topics.contains(BindingName(topic))
        case .unsaid: false
        }
    }

    /// These, or others where nothing is said.
    func or(_ others: TopicRights) -> TopicRights { self == .unsaid ? others : self }
}
