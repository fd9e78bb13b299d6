import Synchronization

/// What an act says of itself for the audit log, while it is carried out.
final class ActNote: Sendable {
    private struct State {
        var nothing: String?
        var result: String?
        var detail: [String: String] = [:]
    }

    private let state = Mutex(State())

    /// Nothing had to be done, or could be: why.
    func nothing(_ why: String) { state.withLock { $0.nothing = why } }

    /// What came of it, in place of the bare word `done`.
    func result(_ text: String) { state.withLock { $0.result = text } }

    func detail(_ key: String, _ value: String?) { state.withLock { $0.detail[key] = value } }

    var details: [String: String] { state.withLock { $0.detail } }
    var isNothing: Bool { state.withLock { $0.nothing != nil } }

    /// The outcome of an act that did not fail.
    var outcome: String {
        state.withLock { state in
            if let why = state.nothing { return "nothing done: \(why)" }
            return state.result.map { "done: \($0)" } ?? "done"
        }
    }
}
