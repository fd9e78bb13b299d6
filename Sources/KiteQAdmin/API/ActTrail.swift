import Synchronization

/// What is known of an act when it is refused: who asked, and whether it was begun, and so is written down already.
final class ActTrail: Sendable {
    private let state = Mutex((caller: Caller?.none, isBegun: false))

    /// Somebody was let in, who may yet not be allowed to act.
    func came(_ caller: Caller) { state.withLock { $0.caller = caller } }

    func began() { state.withLock { $0.isBegun = true } }

    var caller: Caller? { state.withLock { $0.caller } }
    var isBegun: Bool { state.withLock { $0.isBegun } }
}
