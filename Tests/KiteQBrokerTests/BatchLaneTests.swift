import NIOConcurrencyHelpers
import Testing

@testable import KiteQBroker

@Suite("Batch lane", .timeLimit(.minutes(1)))
struct BatchLaneTests {
    /// Two writers of one lane, whose batches are under way until the test ends them.
    private final class Bench: Sendable {
        let lane: BatchLane<Int>
        let begun = PassedOn<[Int]>()
        private let gates = NIOLockedValueBox<[Int: CheckedContinuation<Void, Never>]>([:])

        init(capacity: Int = 100, batch: Int = 4) {
            lane = BatchLane(capacity: .init(items: capacity), batch: .init(items: batch), size: { _ in 1 })
        }

        /// Runs until the lane is closed and all of it was written.
        func run() async {
            await withTaskGroup(of: Void.self) { tasks in
                for _ in 0..<2 {
                    tasks.addTask {
                        await self.lane.work { batch in
                            await withCheckedContinuation { gate in
                                self.gates.withLockedValue { $0[batch[0]] = gate }
                                self.begun.send(batch)
                            }
                        }
                    }
                }
            }
        }

        /// The batch that begins with this item is written.
        func end(_ first: Int) { gates.withLockedValue { $0.removeValue(forKey: first) }?.resume() }
    }

    @Test func smallBatchesWaitForTheOneUnderWay() async {
        let bench = Bench()
        async let run: Void = bench.run()
        _ = bench.lane.submit([1])
        #expect(await bench.begun.next() == [1])
        _ = bench.lane.submit([2])
        _ = bench.lane.submit([3])
        #expect(bench.lane.depth.items == 2)
        bench.end(1)
        #expect(await bench.begun.next() == [2, 3])
        bench.lane.close()
        bench.end(2)
        await run
    }

    @Test func aWholeBatchGoesBesideTheOneUnderWay() async {
        let bench = Bench()
        async let run: Void = bench.run()
        _ = bench.lane.submit([1])
        #expect(await bench.begun.next() == [1])
        _ = bench.lane.submit([2, 3, 4, 5, 6])
        #expect(await bench.begun.next() == [2, 3, 4, 5])
        #expect(bench.lane.depth.items == 1)
        bench.end(2)
        bench.end(1)
        #expect(await bench.begun.next() == [6])
        bench.lane.close()
        bench.end(6)
        await run
    }

    @Test func oneThatTakesLongHoldsUpNoOther() async {
        let bench = Bench()
        async let run: Void = bench.run()
        _ = bench.lane.submit([1])
        #expect(await bench.begun.next() == [1])
        _ = bench.lane.submit([2])
        bench.lane.tick()
        #expect(bench.lane.depth.items == 1)
        bench.lane.tick()
        #expect(await bench.begun.next() == [2])
        bench.end(2)
        // The first is still under way, and still holds up none.
        _ = bench.lane.submit([3])
        #expect(await bench.begun.next() == [3])
        bench.lane.close()
        bench.end(3)
        bench.end(1)
        await run
    }

    @Test func aClosedLaneIsWrittenToItsEnd() async {
        let bench = Bench(batch: 2)
        async let run: Void = bench.run()
        _ = bench.lane.submit([1])
        #expect(await bench.begun.next() == [1])
        #expect(bench.lane.submit([2]) == 1)
        bench.lane.close()
        #expect(bench.lane.submit([3]) == 0)
        bench.end(1)
        #expect(await bench.begun.next() == [2])
        bench.end(2)
        await run
        #expect(bench.lane.depth.items == 0)
    }

    @Test func whatDoesNotFitIsHandedBack() async {
        let bench = Bench(capacity: 3)
        #expect(bench.lane.submit([1, 2]) == 2)
        #expect(bench.lane.submit([3, 4, 5]) == 1)
        #expect(bench.lane.removeFirst { $0 < 3 } == [1, 2])
        #expect(bench.lane.submit([4, 5, 6]) == 2)
        bench.lane.close()
        async let run: Void = bench.run()
        #expect(await bench.begun.next() == [3, 4, 5])
        bench.end(3)
        await run
    }
}

/// What was sent, to be waited for one by one.
private final class PassedOn<Value: Sendable>: Sendable {
    private let stream: AsyncStream<Value>
    private let continuation: AsyncStream<Value>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func send(_ value: Value) { continuation.yield(value) }

    func next() async -> Value? {
        for await value in stream { return value }
        return nil
    }
}
