import KiteQCore
import Synchronization
import Testing

@testable import KiteQAdmin

@Suite struct AnswerCacheTests {
    /// Counts the questions, and answers none while it sticks.
    private final class Store: Sendable {
        private let state = Mutex((asked: 0, isStuck: false, waiting: [CheckedContinuation<Void, Never>]()))

        var asked: Int { state.withLock { $0.asked } }

        func ask() async -> Int {
            let number = state.withLock { state in
                state.asked += 1
                return state.asked
            }
            await withCheckedContinuation { next in
                let isStuck = state.withLock { state in
                    if state.isStuck { state.waiting.append(next) }
                    return state.isStuck
                }
                if !isStuck { next.resume() }
            }
            return number
        }

        func stick() { state.withLock { $0.isStuck = true } }

        func loosen() {
            let waiting = state.withLock { state in
                defer { state.waiting = [] }
                state.isStuck = false
                return state.waiting
            }
            for next in waiting { next.resume() }
        }
    }

    private let cache = AnswerCache<Int, Int>(lifetime: .zero)
    private let store = Store()

    private func latest(within age: Duration, patience: Duration) async -> Int? {
        await cache.latest(0, within: age, patience: patience) { await store.ask() }?.value
    }

    @Test func theFirstAnswerIsWaitedFor() async {
        #expect(await latest(within: .seconds(60), patience: .seconds(60)) == 1)
    }

    @Test func aYoungAnswerIsGivenAtOnceAndAnOldOneWaitedFor() async throws {
        #expect(await latest(within: .seconds(60), patience: .seconds(60)) == 1)
        #expect(await latest(within: .seconds(60), patience: .seconds(60)) == 1)
        try await eventually("it is asked for in the background") { store.asked == 2 }
        #expect(try #require(await latest(within: .zero, patience: .seconds(60))) > 1)
    }

    @Test func patienceEnds() async {
        store.stick()
        #expect(await latest(within: .zero, patience: .milliseconds(1)) == nil)
        store.loosen()
        #expect(await latest(within: .zero, patience: .seconds(60)) != nil)
        store.stick()
        #expect(await latest(within: .zero, patience: .milliseconds(1)) != nil, "what was kept is better than nothing")
        store.loosen()
    }
}
