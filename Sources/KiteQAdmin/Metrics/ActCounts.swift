import Synchronization

/// What people did through the API, and what of it could not be written to the audit log.
final class ActCounts: Sendable {
    enum Outcome: String {
        case done
        /// There was nothing to do.
        case nothing
        case failed
        /// Whoever asked for it was not let in, or did not ask for it as it must be asked for.
        case refused
    }

    private struct Act: Hashable {
        /// One of the routes' own words.
        var action: String
        var outcome: Outcome
    }

    private struct State {
        var acts: [Act: Int] = [:]
        var unwritten = 0
    }

    private let state = Mutex(State())

    func count(_ action: String, _ outcome: Outcome) {
        state.withLock { $0.acts[Act(action: action, outcome: outcome), default: 0] += 1 }
    }

    func countUnwritten() { state.withLock { $0.unwritten += 1 } }

    func write(to page: inout PrometheusText) {
        let (acts, unwritten) = state.withLock { ($0.acts, $0.unwritten) }
        page.family("kiteq_acts_total", .counter, "What people did through the API, by how it ended.")
        for (act, count) in acts.sorted(by: {
            ($0.key.action, $0.key.outcome.rawValue) < ($1.key.action, $1.key.outcome.rawValue)
        }) {
            page.sample("kiteq_acts_total", [("action", act.action), ("outcome", act.outcome.rawValue)], count)
        }
        page.single(
            "kiteq_audit_failures_total", .counter, "Acts that are in the log alone: the store did not take them.",
            unwritten)
    }
}
