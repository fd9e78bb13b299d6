import KiteQCore
import Synchronization

/// Whether inserts into one shard have to expect that somebody has locked rows: then they look before they insert, so that none
/// of them waits for a lock.
final class InsertWatch: Sendable {
    private let caution = Mutex(LockCaution())

    func begin() -> Int { caution.withLock { $0.begin(now: StoreClock.monotonic()) } }
    func end(_ number: Int) { caution.withLock { $0.end(number) } }
    func metLock() { caution.withLock { $0.metLock(now: StoreClock.monotonic()) } }
    func isCalledFor(besides number: Int) -> Bool {
        caution.withLock { $0.isCalledFor(besides: number, now: StoreClock.monotonic()) }
    }
}
