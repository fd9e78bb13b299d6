/// The surroundings of one input of the delivery machine: the time at which it came, and what comes of it.
package struct DeliveryMoment: Sendable {
    package var now: MonotonicTime
    /// The wall clock of this broker; what is stored goes by its shard's (`ServerClock`).
    package var wall: Timestamp
    /// Bytes that may yet be handed to connections, by the shell's account of what they have not written.
    package var outboundRoom: Int
    /// What the shell is to do when the input is over.
    package var actions = DeliveryActions()

    package init(now: MonotonicTime, wall: Timestamp, outboundRoom: Int = .max) {
        self.now = now
        self.wall = wall
        self.outboundRoom = outboundRoom
    }
}
