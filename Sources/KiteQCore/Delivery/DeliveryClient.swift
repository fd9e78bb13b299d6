/// A connection that consumes for its group.
struct DeliveryClient: Sendable {
    struct Entry: Sendable {
        var slot: DeliverySlotRef
    }

    var group: Int
    var window: InFlightWindow<Entry>
    var warmUp: WarmUp
    /// The connection takes bytes: its send buffer is below the mark.
    var isWritable = true
    var isOpen = true
    var generation: UInt32
    /// Smooth weighted round robin, used only while a client of the group warms up.
    var credit = 0

    var hasRoom: Bool { isWritable && isOpen && window.hasRoom }
}
