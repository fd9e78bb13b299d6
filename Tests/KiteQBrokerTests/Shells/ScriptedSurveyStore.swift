import KiteQCore
import NIOConcurrencyHelpers

/// A store that says what it was asked, in order, and fails where the test wants that.
final class ScriptedSurveyStore: SurveyStore {
    enum Call: Hashable, Sendable { case memory, presence, release, uncertain, survey }

    private struct State {
        var calls: [Call] = []
        var failing: Set<Call> = []
        var presences: [Set<String>] = []
        var releases: [Int] = []
        var check = MemoryCheck()
        var survey = ShardSurvey()
        var latest: Timestamp = 0
    }

    private let state = NIOLockedValueBox(State())

    func fail(_ calls: Set<Call>) { state.withLockedValue { $0.failing = calls } }
    /// Rows that each call lets go of; none once these are used up.
    func releasing(_ counts: Int...) { state.withLockedValue { $0.releases = counts } }
    func answering(_ check: MemoryCheck) { state.withLockedValue { $0.check = check } }
    func answering(_ survey: ShardSurvey) { state.withLockedValue { $0.survey = survey } }
    var presences: [Set<String>] { state.withLockedValue { $0.presences } }
    /// What was due later than this was due by a wrong clock.
    var latest: Timestamp { state.withLockedValue { $0.latest } }

    /// What it was asked since the last look.
    func takeCalls() -> [Call] {
        state.withLockedValue { state in
            defer { state.calls = [] }
            return state.calls
        }
    }

    private func called(_ call: Call, _ state: inout State) throws {
        state.calls.append(call)
        if state.failing.contains(call) { throw StoreError(.unavailable, "\(call) fails") }
    }

    func setPresence(_ groups: Set<String>, shard: Int) async throws {
        try state.withLockedValue { state in
            try called(.presence, &state)
            state.presences.append(groups)
        }
    }

    func survey(shard: Int, now: Timestamp, latest: Timestamp) async throws -> ShardSurvey {
        try state.withLockedValue { state in
            try called(.survey, &state)
            state.latest = latest
            return state.survey
        }
    }

    func releaseDead(shard: Int, limit: Int) async throws -> Int {
        try state.withLockedValue { state in
            try called(.release, &state)
            return state.releases.isEmpty ? 0 : state.releases.removeFirst()
        }
    }

    func resolveUncertain(shard: Int) async throws -> Int64? {
        try state.withLockedValue { try called(.uncertain, &$0) }
        return nil
    }

    func checkMemory(shard: Int, bindings: @Sendable () -> [Binding]) async throws -> MemoryCheck {
        try state.withLockedValue { state in
            try called(.memory, &state)
            defer { state.check = MemoryCheck() }
            return state.check
        }
    }
}
