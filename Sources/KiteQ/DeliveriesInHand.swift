import Synchronization

/// ``HeldDeliveries`` of one connection, as its event loop and the handlers share them.
final class DeliveriesInHand: Sendable {
    private let state: Mutex<HeldDeliveries>

    init(_ configuration: KiteQConfiguration) {
        state = Mutex(
            HeldDeliveries(timeout: configuration.deliveryTimeout, handlerTimeout: configuration.handlerTimeout))
    }

    var timeout: Duration { state.withLock { $0.timeout } }

    func agree(timeout: Duration, mayExtend: Bool) {
        state.withLock { $0.agree(timeout: timeout, mayExtend: mayExtend) }
    }

    func receive(_ opaque: Int32) { state.withLock { $0.receive(opaque, now: .now) } }

    func begin(_ opaque: Int32) -> Bool { state.withLock { $0.begin(opaque, now: .now) } }

    func end(_ opaque: Int32) { state.withLock { $0.end(opaque) } }

    func extend() -> HeldDeliveries.Extension { state.withLock { $0.extend(now: .now) } }
}
