import KiteQCore
import Synchronization

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

    private let state = Mutex(State())

    func fail(_ calls: Set<Call>) { state.withLock { $0.failing = calls } }
    /// Rows that each call lets go of; none once these are used up.
    func releasing(_ counts: Int...) { state.withLock { $0.releases = counts } }
    func answering(_ check: MemoryCheck) { state.withLock { $0.check = check } }
    func answering(_ survey: ShardSurvey) { state.withLock { $0.survey = survey } }
    var presences: [Set<String>] { state.withLock { $0.presences } }
    /// What was due later than this was due by a wrong clock.
    var latest: Timestamp { state.withLock { $0.latest } }

    /// What it was asked since the last look.
    func takeCalls() -> [Call] {
        state.withLock { state in
            defer { state.calls = [] }
            return state.calls
        }
    }

    private func called(_ call: Call, _ state: inout State) throws {
        state.calls.append(call)
        if state.failing.contains(call) { throw StoreError(.unavailable, "\(call) fails") }
    }

    func setPresence(_ groups: Set<String>, shard: Int) async throws {
        try state.withLock { state in
            try called(.presence, &state)
            state.presences.append(groups)
        }
    }

    func survey(shard: Int, now: Timestamp, latest: Timestamp) async throws -> ShardSurvey {
        try state.withLock { state in
            try called(.survey, &state)
            state.latest = latest
            return state.survey
        }
    }

    func releaseDead(shard: Int, limit: Int) async throws -> Int {
        try state.withLock { state in
            try called(.release, &state)
            return state.releases.isEmpty ? 0 : state.releases.removeFirst()
        }
    }

    func resolveUncertain(shard: Int) async throws -> Int64? {
        try state.withLock { try called(.uncertain, &$0) }
        return nil
    }

    func checkMemory(shard: Int, bindings: @Sendable () -> [Binding]) async throws -> MemoryCheck {
        try state.withLock { state in
            try called(.memory, &state)
            defer { state.check = MemoryCheck() }
            return state.check
        }
    }
}
