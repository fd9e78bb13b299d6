import KiteQCore
import Synchronization

/// How many refused acts are written down: ten a minute for each address and sixty in all, so that who is not let in fills neither the
/// log nor the audit table.
final class RefusedActRows: Sendable {
    /// Rows do not differ in kind.
    private enum Kind { case act }

    private let throttle = Mutex(PlaceThrottle<Kind>(ofPlace: 10, ofKind: 60))

    /// Nil where it is left out; else how many were since the last that was not, wherever they came from.
    func admit(from place: String, now: ContinuousClock.Instant = .now) -> Int? {
        throttle.withLock { $0.admit(.act, from: place, now: now) }
    }
}
