import Synchronization

/// What connections were handed to send and have not written yet, all together, in bytes of messages.
///
/// A message in memory is counted once, for however many groups it is; each connection that it waits for has a copy of it. These
/// are what is counted here, so that clients which do not read cannot make the broker grow by their number.
final class OutboundAccount: Sendable {
    private let limit: Int
    private let pending = Atomic<Int>(0)

    init(limit: Int) { self.limit = limit }

    /// What waits now.
    var bytes: Int { pending.load(ordering: .relaxed) }

    /// How much more may be handed out; 0 or below: nothing, until something is written.
    var room: Int { limit - pending.load(ordering: .relaxed) }

    func add(_ bytes: Int) { pending.wrappingAdd(bytes, ordering: .relaxed) }

    /// It was written, or its connection is gone.
    func subtract(_ bytes: Int) { pending.wrappingSubtract(bytes, ordering: .relaxed) }
}
