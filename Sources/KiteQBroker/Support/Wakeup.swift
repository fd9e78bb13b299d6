/// Tells one waiting task that there is work; several tellings before it looks are one.
final class Wakeup: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func signal() { continuation.yield() }

    /// Ends the waiting task's loop.
    func finish() { continuation.finish() }

    var signals: AsyncStream<Void> { stream }
}
