import Dispatch
import Synchronization

/// Runs what may block (a name look-up, joining the C client's threads) off the cooperative pool.
func runBlocking<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(returning: body()) }
    }
}

/// The same, but where the task is cancelled it is waited for no longer than `grace`: then the answer is nil, the body goes
/// on alone, and `late` gets its result.
func runBlocking<Result: Sendable>(
    grace: Duration, _ body: @escaping @Sendable () -> Result, late: @escaping @Sendable (Result) -> Void = { _ in }
) async -> Result? {
    let waiting = Waiting<Result>()
    return await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
            waiting.continuation.withLock { $0 = continuation }
            DispatchQueue.global().async {
                let result = body()
                if let continuation = waiting.take() { continuation.resume(returning: result) } else { late(result) }
            }
            // The handler below may have run before there was anything to find.
            if Task.isCancelled { waiting.giveUp(after: grace) }
        }
    } onCancel: {
        waiting.giveUp(after: grace)
    }
}

private final class Waiting<Result: Sendable>: Sendable {
    let continuation = Mutex<CheckedContinuation<Result?, Never>?>(nil)

    func take() -> CheckedContinuation<Result?, Never>? { continuation.withLock { $0.take() } }

    func giveUp(after grace: Duration) {
        let delay = DispatchTimeInterval.milliseconds(Int(clamping: Int64(grace / .milliseconds(1))))
        DispatchQueue.global().asyncAfter(deadline: .now() + delay) { self.take()?.resume(returning: nil) }
    }
}
