import KiteQCore
import Synchronization

/// The publishes of one call, and the answers to them as they come.
final class PublishCall: PublishOrigin {
    let group: String
    var questioned: (any QuestionedClient)? { nil }

    private struct State {
        var outcomes: [PublishOutcome?]
        var open: Int
        var caller: CheckedContinuation<Void, Never>?

        mutating func settle(_ index: Int, _ outcome: PublishOutcome) {
            precondition(outcomes[index] == nil, "each publish is answered once")
            outcomes[index] = outcome
            open -= 1
        }
    }

    private let state: Mutex<State>

    /// - Parameter count: of the messages; each must be answered once.
    init(group: String, count: Int) {
        self.group = group
        state = Mutex(State(outcomes: Array(repeating: nil, count: count), open: count))
    }

    /// An answer that needs no store.
    func answer(_ index: Int, _ outcome: PublishOutcome) {
        complete { $0.settle(index, outcome) }
    }

    /// The pipeline's answers. A publish's opaque is its place among the messages of the call.
    func answer(_ results: [PublishResult]) {
        complete { state in
            for result in results {
                let outcome = PublishOutcome(
                    messageID: result.publish.message.id.description, verdict: result.verdict, feedback: result.feedback
                )
                state.settle(Int(result.publish.opaque), outcome)
            }
        }
    }

    /// Waits for all answers. They come within a time, whatever the store does.
    func outcomes() async -> [PublishOutcome] {
        await withCheckedContinuation { caller in
            let isDone = state.withLock { state in
                if state.open == 0 { return true }
                state.caller = caller
                return false
            }
            if isDone { caller.resume() }
        }
        return state.withLock { $0.outcomes.compactMap(\.self) }
    }

    private func complete(_ body: (inout State) -> Void) {
        let caller = state.withLock { state in
            body(&state)
            return state.open == 0 ? state.caller.take() : nil
        }
        caller?.resume()
    }
}
