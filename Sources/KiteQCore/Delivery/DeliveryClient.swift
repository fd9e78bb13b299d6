/// A connection that consumes for its group.
struct DeliveryClient: Sendable {
    struct Entry: Sendable {
        var slot: DeliverySlotRef
        var bytes: Int
        var sentAt: MonotonicTime
    }

    /// What is known of a client that is one pull.
    struct Pull: Sendable {
        /// Its receipts carry it: nobody guesses one.
        var key: UInt64
        /// It has got nothing yet, and may.
        var isWaiting = true
        /// The receipts that are counted for it: those promised while it waits, then those not answered or still of use.
        var counted = 0
    }

    var group: Int
    var window: InFlightWindow<Entry>
    /// Bytes of what is in flight, and above how many nothing is sent.
    var bytes = 0
    var maxBytes: Int
    var warmUp: WarmUp
    /// The connection takes bytes: its send buffer is below the mark.
    var isWritable = true
    var isOpen = true
    /// It speaks as one does that takes no large packets: see ``DeliveryMachine/doubt(_:)``.
    var isDoubtful = false
    var generation: UInt32
    /// Smooth weighted round robin, used only while a client of the group warms up.
    var credit = 0
    /// Nil for a connection.
    var pull: Pull?

    var hasRoom: Bool { isWritable && isOpen && window.hasRoom && bytes < maxBytes }

    /// A message is sent; returns its opaque. There must be room.
    mutating func deliver(_ slot: DeliverySlotRef, bytes: Int, now: MonotonicTime) -> UInt32 {
        self.bytes += bytes
        return window.deliver(Entry(slot: slot, bytes: bytes, sentAt: now), now: now)
    }

    /// An answer came.
    mutating func acknowledge(_ opaque: UInt32) -> InFlightWindow<Entry>.Acknowledged {
        let answered = window.acknowledge(opaque)
        if case .inTime(let entry) = answered { bytes -= entry.bytes }
        return answered
    }

    /// The next delivery whose time is up now, if any.
    mutating func expire(now: MonotonicTime) -> Entry? {
        guard let entry = window.expire(now: now) else { return nil }
        bytes -= entry.bytes
        return entry
    }
}
