/// Who publishes, and by what settings: the same from one publish to the next, until a reload. One reference, for every publish takes
/// it along.
final class Publisher {
    /// The group that publishes, as it has shown to be. A header may name another one only where it may speak for it.
    let group: String
    /// Where it publishes from, for the log.
    let peer: Peer
    let settings: SessionSettings
    /// Of the group; nil where it has no limits that a publish is held against.
    let quota: GroupQuota?

    init(group: String, peer: Peer, settings: SessionSettings, quota: GroupQuota?) {
        (self.group, self.peer, self.settings, self.quota) = (group, peer, settings, quota)
    }

    func mayPublish(to topic: String) -> Bool { settings.access.mayPublish(group, to: topic) }
}
