import NIOConcurrencyHelpers
import Testing

@testable import KiteQBroker

@Suite("Batch lane", .timeLimit(.minutes(1)))
struct BatchLaneTests {
    @Test func smallBatchesWaitForTheOneUnderWay() async {
        await LaneFixture.begun { fixture in
            _ = fixture.lane.submit([2])
            _ = fixture.lane.submit([3])
            #expect(fixture.lane.depth.items == 2)
            fixture.end(1)
            #expect(await fixture.next() == [2, 3])
        }
    }

    @Test func aWholeBatchGoesBesideTheOneUnderWay() async {
        await LaneFixture.begun { fixture in
            _ = fixture.lane.submit([2, 3, 4, 5, 6])
            #expect(await fixture.next() == [2, 3, 4, 5])
            #expect(fixture.lane.depth.items == 1)
            fixture.end(2)
            fixture.end(1)
            #expect(await fixture.next() == [6])
        }
    }

    @Test func oneThatTakesLongHoldsUpNoOther() async {
        await LaneFixture.begun { fixture in
            _ = fixture.lane.submit([2])
            fixture.lane.tick()
            #expect(fixture.lane.depth.items == 1)
            fixture.lane.tick()
            #expect(await fixture.next() == [2])
            fixture.end(2)
            // The first is still under way, and still holds up none.
            _ = fixture.lane.submit([3])
            #expect(await fixture.next() == [3])
        }
    }

    @Test func aClosedLaneIsWrittenToItsEnd() async {
        await LaneFixture.begun(batch: 2) { fixture in
            #expect(fixture.lane.submit([2]) == 1)
            fixture.lane.close()
            #expect(fixture.lane.submit([3]) == 0)
            fixture.end(1)
            #expect(await fixture.next() == [2])
        }
    }

    @Test func whatDoesNotFitIsHandedBack() {
        let lane = BatchLane<Int>(
            capacity: .init(items: 3, bytes: 30), batch: .init(items: 9), size: { $0 }, clock: SystemClock())
        #expect(lane.submit([1, 2]) == 2)
        #expect(lane.submit([3, 4, 5]) == 1, "three items")
        #expect(lane.removeFirst { $0 < 3 } == [1, 2])
        #expect(lane.submit([20, 8]) == 1, "thirty bytes")
        #expect(lane.depth == (2, 23))
    }

    /// Even items are patient.
    private func holding(_ time: Duration, items: Int = 5, _ test: (BatchLane<Int>) -> Void) async -> [[Int]] {
        let lane = BatchLane<Int>(
            capacity: .init(items: 100), batch: .init(items: 100), size: { _ in 1 },
            hold: .init(time: time, items: items, isPatient: { $0.isMultiple(of: 2) }), clock: SystemClock())
        let batches = NIOLockedValueBox<[[Int]]>([])
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await lane.work { batch in batches.withLockedValue { $0.append(batch) } } }
            test(lane)
            while lane.depth.items > 0 { await Task.yield() }
            lane.close()
        }
        return batches.withLockedValue { $0 }
    }

    @Test func patientItemsWaitForAnUrgentOneAndGoWithIt() async {
        let batches = await holding(.seconds(3_600)) { lane in
            for item in [2, 4, 6, 7] { _ = lane.submit([item]) }
        }
        #expect(batches == [[2, 4, 6, 7]])
    }

    @Test func manyPatientItemsGoAtOnce() async {
        let batches = await holding(.seconds(3_600)) { lane in
            for item in [2, 4, 6, 8, 10] { _ = lane.submit([item]) }
        }
        #expect(batches == [[2, 4, 6, 8, 10]])
    }

    @Test func aLonePatientItemGoesWhenItsTimeIsOver() async {
        #expect(await holding(.milliseconds(1)) { lane in _ = lane.submit([2]) } == [[2]])
    }

    @Test func aLaneThatClosesHoldsNothingBack() async {
        let batches = await holding(.seconds(3_600)) { lane in
            _ = lane.submit([2])
            lane.close()
        }
        #expect(batches == [[2]])
    }

    @Test func aCancelledWriterHoldsNothingBack() async {
        let lane = BatchLane<Int>(
            capacity: .init(items: 100), batch: .init(items: 100), size: { _ in 1 },
            hold: .init(time: .seconds(3_600), items: 5, isPatient: { _ in true }), clock: SystemClock())
        let batches = NIOLockedValueBox<[[Int]]>([])
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await lane.work { batch in batches.withLockedValue { $0.append(batch) } } }
            _ = lane.submit([2])
            tasks.cancelAll()
            while lane.depth.items > 0 { await Task.yield() }
            lane.close()
        }
        #expect(batches.withLockedValue { $0 } == [[2]])
    }
}

/// Two writers of one lane, whose batches are under way until the test ends them.
private final class LaneFixture: Sendable {
    let lane: BatchLane<Int>
    private let begun: AsyncStream<[Int]>
    private let begin: AsyncStream<[Int]>.Continuation
    /// Nil: nothing is held up any more.
    private let gates = NIOLockedValueBox<[Int: CheckedContinuation<Void, Never>]?>([:])

    private init(batch: Int) {
        lane = BatchLane(
            capacity: .init(items: 100), batch: .init(items: batch), size: { _ in 1 }, clock: SystemClock())
        (begun, begin) = AsyncStream.makeStream()
    }

    /// The first writer has the item 1 in its hands. After the test the lane is written to its end.
    static func begun(batch: Int = 4, _ test: (LaneFixture) async -> Void) async {
        let fixture = LaneFixture(batch: batch)
        async let run: Void = fixture.run()
        #expect(fixture.lane.submit([1]) == 1)
        #expect(await fixture.next() == [1])
        await test(fixture)
        fixture.lane.close()
        for gate in fixture.gates.withLockedValue({ $0.take() })?.values ?? [:].values { gate.resume() }
        await run
        #expect(fixture.lane.depth.items == 0)
    }

    private func run() async {
        await withTaskGroup(of: Void.self) { tasks in
            for _ in 0..<2 { tasks.addTask { await self.lane.work { await self.write($0) } } }
        }
    }

    private func write(_ batch: [Int]) async {
        await withCheckedContinuation { gate in
            let isHeld = gates.withLockedValue { gates in
                gates?[batch[0]] = gate
                return gates != nil
            }
            begin.yield(batch)
            if !isHeld { gate.resume() }
        }
    }

    /// The next batch that began.
    func next() async -> [Int]? { await begun.first { _ in true } }

    /// The batch that begins with this item is written.
    func end(_ first: Int) { gates.withLockedValue { $0?.removeValue(forKey: first) }?.resume() }
}
