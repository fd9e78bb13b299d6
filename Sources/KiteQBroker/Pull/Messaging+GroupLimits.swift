package import KiteQCore

extension Messaging {
    /// The limits of a group that are in force here.
    package func limits(of group: String) -> GroupLimits { services.settings.access.limits(of: group) }
}
