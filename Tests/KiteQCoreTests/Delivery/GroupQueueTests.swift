import Testing

@testable import KiteQCore

@Suite struct GroupQueueTests {
    private func ref(_ index: Int32) -> DeliverySlotRef { DeliverySlotRef(index: index, generation: 0) }

    @Test func whatIsPutBackIsNext() {
        var queue = GroupQueue()
        #expect(queue.isEmpty && queue.next == nil)
        #expect(queue.takeAll() == [])
        queue.append(ref(1))
        queue.append(ref(2))
        queue.putBack(ref(3))
        queue.putBack([ref(4), ref(5)])
        #expect(queue.count == 5 && queue.next == ref(4))
        queue.removeNext()
        #expect(queue.takeAll() == [ref(5), ref(3), ref(1), ref(2)])
        #expect(queue.isEmpty)
    }

    @Test func suspectsWaitApartAndComeFirst() {
        var queue = GroupQueue()
        for index in 1...4 { queue.append(ref(Int32(index))) }
        queue.setNextApart()
        queue.setNextApart()
        #expect(queue.count == 2 && queue.countApart == 2 && queue.next == ref(3) && queue.nextApart == ref(1))
        queue.clearNextApart()
        #expect(queue.next == ref(1) && queue.nextApart == ref(2))
        #expect(queue.takeAll() == [ref(2), ref(1), ref(3), ref(4)])
        #expect(queue.isEmpty && queue.countApart == 0)
    }
}
