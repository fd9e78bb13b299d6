import KiteQCore
import Synchronization

/// What one group has used of its limits. Connections have it at hand, so that a publish does not look for it.
final class GroupAccount: Sendable {
    private let quota = Mutex(PublishQuota())

    func take(bytes: Int, within limits: GroupLimits, now: MonotonicTime) -> PublishQuota.Excess? {
        quota.withLock { $0.take(bytes: bytes, within: limits, now: now) }
    }

    /// Whether nothing would be lost with it.
    func isForgettable(now: MonotonicTime) -> Bool { quota.withLock { $0.isFull(now: now) } }
}

/// The account of a group that has limits, and these.
struct GroupQuota: Sendable {
    let group: String
    let account: GroupAccount
    let limits: GroupLimits

    /// One publish of so many bytes. Nil where it is within the limits; else what it is over, and a sentence.
    func excess(of bytes: Int, now: MonotonicTime) -> (kind: Refusals.Kind, why: String)? {
        guard limits.rate > 0 || limits.bytes > 0 else { return nil }
        switch account.take(bytes: bytes, within: limits, now: now) {
        case nil: return nil
        case .rate(let limit):
            return (.groupRate, "try again later: group \(group) may publish \(limit) messages a second (max_rate)")
        case .bytes(let limit):
            return (.groupBytes, "try again later: group \(group) may publish \(limit) bytes a second (max_bytes)")
        }
    }
}
