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
    /// Fresh messages that the store had as this broker's and that were not in memory.
    package var strays = 0
    package var lateAcknowledgements = 0
    package var unknownAcknowledgements = 0
    /// Times that a consumer had a delivery extended.
    package var extended = 0

    package init() {}
}

/// What was delivered to one group since this broker knows it.
package struct GroupTraffic: Sendable, Hashable {
    package var delivered = 0
    package var acknowledged = 0
    package var refused = 0
    package var timedOut = 0
    package var lostWithConnection = 0
    package var deadLettered = 0
    /// The last message that was not answered by a client that may be unable to take its size.
    package var lastDoubt: Doubt?

    package struct Doubt: Sendable, Hashable {
        /// Unix milliseconds.
        package var at: Timestamp
        package var bytes: Int

        package init(at: Timestamp, bytes: Int) {
            self.at = at
            self.bytes = bytes
        }
    }

    package init() {}
}

/// What came of one topic since the start, and what was delivered of it. Deliveries count once for each group.
package struct TopicTraffic: Sendable, Hashable {
    /// Messages that the store has taken and that are committed, those included whose commit came later; and fly messages.
    package var published = 0
    package var delivered = 0
    package var acknowledged = 0
    package var refused = 0
    package var timedOut = 0
    package var deadLettered = 0

    package init() {}
}

/// What the delivery machine holds now.
package struct DeliveryGauges: Sendable {
    package var messages = 0
    package var bytes = 0
    package var inFlight = 0
    package var queued = 0
    package var unflushed = 0
    /// Bytes of messages that connections were handed and have not written.
    package var unwritten = 0
    /// Pulls that wait.
    package var waitingPulls = 0
    /// Messages in the hands of callers that pulled them, or promised to those that wait.
    package var receipts = 0
}

extension DeliveryMachine {
    package var gauges: DeliveryGauges {
        var gauges = DeliveryGauges(
            messages: slots.count, bytes: slots.bytes, unflushed: shards.reduce(0) { $0 + $1.unwritten.count },
            waitingPulls: waitingPulls, receipts: receipts)
        for group in groups.known {
            gauges.inFlight += group.inFlight
            gauges.queued += group.queue.count
        }
        return gauges
    }
}
