import KiteQCore
import Synchronization

/// The broker's own rate of publishes, of all clients together.
final class ReceiveLimit: Sendable {
    /// Nil: no limit.
    private let bucket: Mutex<TokenBucket?>

    init(_ settings: SessionSettings) { bucket = Mutex(Self.bucket(settings)) }

    /// Whether one more publish is within it.
    func takesPublish(_ settings: SessionSettings, now: MonotonicTime) -> Bool {
        guard settings.receiveRate > 0 else { return true }
        return bucket.withLock { $0?.take(upTo: 1, now: now) ?? 1 } == 1
    }

    /// It begins anew where the settings name another rate.
    func change(from old: SessionSettings, to new: SessionSettings) {
        if old.receiveRate != new.receiveRate { bucket.withLock { $0 = Self.bucket(new) } }
    }

    private static func bucket(_ settings: SessionSettings) -> TokenBucket? {
        settings.receiveRate > 0 ? TokenBucket(rate: settings.receiveRate) : nil
    }
}
