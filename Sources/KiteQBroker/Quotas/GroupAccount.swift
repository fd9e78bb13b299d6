import KiteQCore
import Synchronization

/// What one group has used of its limits. Connections have it at hand, so that a publish does not look for it.
final class GroupAccount: Sendable {
    private let quota = Mutex(PublishQuota())
    private let halfMessages: Mutex<HalfMessageCount>

    /// - Parameter undecided: half messages of the group, as the store was last asked.
    init(undecided: Int) { halfMessages = Mutex(HalfMessageCount(found: undecided)) }

    func take(bytes: Int, within limits: GroupLimits, now: MonotonicTime) -> PublishQuota.Excess? {
        quota.withLock { $0.take(bytes: bytes, within: limits, now: now) }
    }

    func withHalfMessages<Result: Sendable>(_ body: (inout HalfMessageCount) -> Result) -> Result {
        halfMessages.withLock { count in body(&count) }
    }

    /// Whether nothing would be lost with it.
    func isForgettable(now: MonotonicTime) -> Bool {
        quota.withLock { $0.isFull(now: now) } && halfMessages.withLock { $0.count == 0 }
    }
}
