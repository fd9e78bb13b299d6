import Synchronization

/// ``HeldDeliveries`` of one connection, as its event loop and the handlers share them.
final class DeliveriesInHand: Sendable {
    private let state: Mutex<HeldDeliveries>

    /// - Parameter window: the most that a broker is asked to send; one that does not know of windows may send more.
    init(_ configuration: KiteQConfiguration, window: Int) {
        state = Mutex(
            HeldDeliveries(
                timeout: configuration.deliveryTimeout, handlerTimeout: configuration.handlerTimeout,
                limit: max(1_000, window > .max / 2 ? window : 2 * window)))
    }

    var timeout: Duration { state.withLock { $0.timeout } }

    func agree(timeout: Duration, mayExtend: Bool) {
        state.withLock { $0.agree(timeout: timeout, mayExtend: mayExtend) }
    }

    var isFull: Bool { state.withLock { $0.isFull } }

    var isStillFull: Bool { state.withLock { $0.isStillFull } }

    func receive(_ opaque: Int32, bytes: Int) -> Bool {
        state.withLock { $0.receive(opaque, bytes: bytes, now: .now) }
    }

    func begin(_ opaque: Int32) -> Bool { state.withLock { $0.begin(opaque, now: .now) } }

    func end(_ opaque: Int32) { state.withLock { $0.end(opaque) } }

    func extend() -> HeldDeliveries.Extension { state.withLock { $0.extend(now: .now) } }
}
