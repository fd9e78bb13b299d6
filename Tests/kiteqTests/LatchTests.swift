import KiteQBroker
import Testing

@testable import kiteq

@Suite(.timeLimit(.minutes(1))) struct LatchTests {
    @Test func whoWaitsBeforeAndAfterHearsIt() async {
        let stop = Latch()
        await withTaskGroup(of: Void.self) { tasks in
            for _ in 0..<10 { tasks.addTask { await stop.wait() } }
            #expect(!stop.isSet)
            stop.set()
        }
        #expect(stop.isSet)
        await stop.wait()
        stop.set()
    }

    @Test func aCancelledTaskWaitsNoLonger() async {
        let stop = Latch()
        await withTaskGroup(of: Void.self) { tasks in
            for _ in 0..<10 { tasks.addTask { await stop.wait() } }
            tasks.cancelAll()
        }
        #expect(!stop.isSet)
    }

    @Test func whoWaitsForSoLongGoesOnWhenItIsSetOrTheTimeIsUp() async {
        let stop = Latch()
        await stop.wait(upTo: .milliseconds(1), SystemClock())
        await stop.wait(upTo: .zero, SystemClock())
        #expect(!stop.isSet)
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await stop.wait(upTo: .seconds(3_600), SystemClock()) }
            stop.set()
        }
        await stop.wait(upTo: .seconds(3_600), SystemClock())
        #expect(stop.isSet)
    }

    @Test func itCancelsWhatRuns() async throws {
        let stop = Latch()
        #expect(try await stop.cancels { 7 } == 7)
        await #expect(throws: CommandError("broken")) {
            try await stop.cancels { throw CommandError("broken") }
        }
        let result: Int? = try await stop.cancels {
            stop.set()
            try await Task.sleep(for: .seconds(3_600))
            return 1
        }
        #expect(result == nil)
    }
}
