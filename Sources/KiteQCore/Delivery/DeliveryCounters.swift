/// What the delivery machine did since the start, and what it holds now.
package struct DeliveryCounters: Sendable {
    package var delivered = 0
    package var acknowledged = 0
    package var refused = 0
    package var timedOut = 0
    package var lostWithConnection = 0
    package var deadLettered = 0
    package var expired = 0
    package var flyDropped = 0
    package var pagedIn = 0
    /// Rows that the store took for being in memory and that were not.
    package var orphans = 0
    package var lateAcknowledgements = 0
    package var unknownAcknowledgements = 0

    package init() {}
}

/// What the delivery machine holds now.
package struct DeliveryGauges: Sendable {
    package var messages = 0
    package var bytes = 0
    package var inFlight = 0
    package var queued = 0
    package var unflushed = 0
}

extension DeliveryMachine {
    package var gauges: DeliveryGauges {
        var gauges = DeliveryGauges(
            messages: slots.count - freeSlots.count, bytes: memoryBytes, unflushed: unflushed.reduce(0, +))
        for group in groups {
            gauges.inFlight += group.inFlight
            gauges.queued += group.queue.count
        }
        return gauges
    }
}
