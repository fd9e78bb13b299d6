import Testing

@testable import kiteq

@Suite(.timeLimit(.minutes(1))) struct StopRequestTests {
    @Test func whoWaitsBeforeAndAfterHearsIt() async {
        let stop = StopRequest()
        await withTaskGroup(of: Void.self) { tasks in
            for _ in 0..<10 { tasks.addTask { await stop.wait() } }
            #expect(!stop.isMade)
            stop.make()
        }
        #expect(stop.isMade)
        await stop.wait()
        stop.make()
    }

    @Test func aCancelledTaskWaitsNoLonger() async {
        let stop = StopRequest()
        await withTaskGroup(of: Void.self) { tasks in
            for _ in 0..<10 { tasks.addTask { await stop.wait() } }
            tasks.cancelAll()
        }
        #expect(!stop.isMade)
    }

    @Test func itCancelsWhatRuns() async throws {
        let stop = StopRequest()
        #expect(try await stop.cancels { 7 } == 7)
        await #expect(throws: CommandError("broken")) {
            try await stop.cancels { throw CommandError("broken") }
        }
        let result: Int? = try await stop.cancels {
            stop.make()
            try await Task.sleep(for: .seconds(3_600))
            return 1
        }
        #expect(result == nil)
    }
}
