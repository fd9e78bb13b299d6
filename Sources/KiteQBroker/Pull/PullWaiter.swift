import KiteQCore
import Synchronization

/// A caller that waits for messages: for one batch of deliveries, up to its `flush()`, or the first reason to wait no more. What
/// comes after that is not its own.
final class PullWaiter: DeliverySink {
    enum Outcome: Sendable {
        case delivered([DeliveryActions.Delivery])
        /// Nothing came in time.
        case nothing
        case cancelled
        case failed(MessagingError)
    }

    private struct State {
        /// Its batch, which comes in several calls where clients alternate, until it is whole.
        var gathered: [DeliveryActions.Delivery] = []
        var outcome: Outcome?
        var caller: CheckedContinuation<Outcome, Never>?
    }

    private let state = Mutex(State())

    func enqueue(_ deliveries: ArraySlice<DeliveryActions.Delivery>) {
        state.withLock { state in
            if state.outcome == nil { state.gathered += deliveries }
        }
    }

    func flush() {
        state.withLock { state in
            guard state.outcome == nil, !state.gathered.isEmpty else { return }
            state.outcome = .delivered(state.gathered)
            state.gathered = []
        }
        tell()
    }

    /// The first reason counts, unless deliveries were first: then the flush that follows them is the end.
    func end(_ outcome: Outcome) {
        state.withLock { state in
            if state.outcome == nil, state.gathered.isEmpty { state.outcome = outcome }
        }
        tell()
    }

    /// Waits for what becomes of it; `cancelled` as soon as the task is. To be called once.
    func outcome() async -> Outcome {
        await withTaskCancellationHandler {
            await withCheckedContinuation { caller in
                state.withLock { $0.caller = caller }
                tell()
            }
        } onCancel: {
            end(.cancelled)
        }
    }

    private func tell() {
        let (caller, outcome) = state.withLock { state -> (CheckedContinuation<Outcome, Never>?, Outcome?) in
            guard let outcome = state.outcome, let caller = state.caller.take() else { return (nil, nil) }
            return (caller, outcome)
        }
        if let caller, let outcome { caller.resume(returning: outcome) }
    }
}
