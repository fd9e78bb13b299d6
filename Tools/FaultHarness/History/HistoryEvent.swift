/// Something that a client of the harness saw or did: 16 bytes, so that ten million of them are 160 MB.
package struct HistoryEvent: Sendable, Hashable {
    package enum Kind: UInt8, Sendable, Hashable {
        // One attempt to publish, and how it ended.
        case published, acknowledged, refused, outcomeUnknown, notSent
        // Final words of the sender, and answers to the broker's question; noted before they are sent.
        case committed, rolledBack, answeredCommit, answeredRollBack, answeredUnknown
        // A delivery's begin at a consumer, and its end there.
        case delivered, accepted, declined
        // Its id is published once more, as a message that needs no decision, and how that ended.
        case reused, reuseAcknowledged, reuseRefused, reuseUnknown
    }

    /// Since the start of the run, in units of 0.1 ms: 119 hours fit.
    package var time: UInt32
    package var message: UInt32
    package var kind: Kind
    private var seat: UInt8
    /// Of a delivery: the broker that made it; else 0.
    package var broker: UInt8
    /// Of a delivery: tells apart those of one message and group, from 0; else 0.
    package var delivery: UInt8
    /// Of a delivery: when the connection that brought it was made; else 0.
    package var connected: UInt32

    /// Of a delivery; else 0.
    package var group: UInt8 { seat & 0x0F }
    /// Of a delivery: which of the group's consumers at its broker has it; else 0.
    package var consumer: UInt8 { seat >> 4 }

    package init(
        time: UInt32, message: UInt32, kind: Kind, group: Int = 0, broker: Int = 0, consumer: Int = 0,
        delivery: UInt8 = 0, connected: UInt32 = 0
    ) {
        self.time = time
        self.message = message
        self.kind = kind
        seat = UInt8(group) | UInt8(consumer) << 4
        self.broker = UInt8(broker)
        self.delivery = delivery
        self.connected = connected
    }

    /// Seconds since the start of the run.
    package var seconds: Double { Double(time) / 10_000 }
}
