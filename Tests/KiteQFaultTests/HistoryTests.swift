import Testing

@testable import FaultHarness

@Suite struct HistoryTests {
    @Test func eventsAreSmall() {
        #expect(MemoryLayout<HistoryEvent>.stride == 16)
        #expect(MemoryLayout<MessageState>.stride == 8)
    }

    @Test func whatIsOpenIsKnown() {
        let history = History(seed: 1, brokers: 2)
        let message = history.nextMessage()
        history.beginPublish(message)
        #expect(history.gauges.publishesOpen == 1)
        history.endPublish(message, .acknowledged)
        history.settle(message, MessagePlan(seed: 1, number: message), isStored: true)
        #expect(history.gauges.publishesOpen == 0 && history.gauges.acknowledged == 1)
        let delivery = history.beginDelivery(message, group: 0, broker: 1, connectedAt: .now) { _ in false }
        #expect(history.gauges.deliveriesOpen == [0, 1])
        history.endDelivery(delivery, isPoison: false)
        #expect(history.gauges.deliveriesOpen == [0, 0] && history.gauges.accepted == 1)
        #expect(history.events.map(\.kind) == [.published, .acknowledged, .delivered, .accepted])
    }

    /// What a dead broker had open is nobody's: its late end must not be taken off its next life's.
    @Test func aDeadBrokersDeliveriesAreNotOpen() {
        let history = History(seed: 1, brokers: 1)
        let message = history.nextMessage()
        let delivery = history.beginDelivery(message, group: 0, broker: 0, connectedAt: .now) { _ in false }
        history.endLife(ofBroker: 0)
        #expect(history.gauges.deliveriesOpen == [0])
        history.endDelivery(delivery, isPoison: false)
        #expect(history.gauges.deliveriesOpen == [0])
    }

    /// What it sent before its death, and a consumer sees only now.
    @Test func aDeadBrokersLateDeliveryCountsFromItsDeath() {
        let history = History(seed: 1, brokers: 1)
        let message = history.nextMessage()
        let before = ContinuousClock.now
        waitForNextUnit(history)
        history.endLife(ofBroker: 0)
        let end = history.now
        waitForNextUnit(history)
        let late = history.beginDelivery(message, group: 0, broker: 0, connectedAt: before) { _ in false }
        #expect(history.events[0].time <= end && history.gauges.deliveriesOpen == [0])
        _ = history.beginDelivery(message, group: 0, broker: 0, connectedAt: .now) { _ in false }
        #expect(history.events[1].time > end && history.gauges.deliveriesOpen == [1])
        history.endDelivery(late, isPoison: false)
        #expect(history.gauges.deliveriesOpen == [1])
    }

    private func waitForNextUnit(_ history: History) {
        let now = history.now
        while history.now <= now {}
    }

    @Test func eventsAreFoundByMessage() {
        var events: [HistoryEvent] = []
        for time in 0..<30 as Range<UInt32> {
            events.append(HistoryEvent(time: time, message: time % 3, kind: .published))
        }
        let index = HistoryIndex(events)
        #expect(index.messageCount == 3)
        #expect(index.events(of: 1).map(\.time) == [1, 4, 7, 10, 13, 16, 19, 22, 25, 28])
        #expect(index.events(of: 9).isEmpty)
        #expect(HistoryIndex([]).messageCount == 0)
    }
}
