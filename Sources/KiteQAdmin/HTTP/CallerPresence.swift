import Synchronization

/// Whether the caller at the other end of a connection is still there: he has not closed it, nor the half of it that he sends on. Who
/// ends that half and waits for an answer gets it, but where it takes long to find out who he is.
final class CallerPresence: Sendable {
    /// Of the connection whose request this task answers; nil where there is none, as in tests of the router alone.
    @TaskLocal static var current: CallerPresence?

    /// Of this task's, to be asked elsewhere.
    static var here: @Sendable () -> Bool {
        let presence = current
        return { presence?.hasLeft != true }
    }

    private let left = Atomic<Bool>(false)

    var hasLeft: Bool { left.load(ordering: .relaxed) }

    func leave() { left.store(true, ordering: .relaxed) }
}
