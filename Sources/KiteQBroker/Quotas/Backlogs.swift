import KiteQCore
import Synchronization

/// The groups for which more waits than they are to have, as the store was last asked. Nearly always there are none, and then a publish
/// takes no lock.
final class Backlogs: Sendable {
    private let full = Mutex<[BindingName: Int]>([:])
    private let isAnyFull = Atomic<Bool>(false)

    /// - Parameter groups: with their limits.
    func set(full groups: [BindingName: Int]) {
        full.withLock { full in
            full = groups
            isAnyFull.store(!groups.isEmpty, ordering: .relaxed)
        }
    }

    /// Why a message for these groups is not taken now, a sentence; nil where it is.
    func objection(to route: Route) -> String? {
        guard isAnyFull.load(ordering: .relaxed) else { return nil }
        return full.withLock { full in
            for member in route.members {
                if let limit = full[BindingName(member.group)] {
                    return "try again later: group \(member.group) has \(limit) messages waiting or more (max_backlog)"
                }
            }
            return nil
        }
    }
}
