import DequeModule

/// What waits in memory to be sent to a group, in its order. Suspects (`Suspects`) wait apart, and are tried before all others.
struct GroupQueue: Sendable {
    private var ready = Deque<DeliverySlotRef>()
    private var apart = Deque<DeliverySlotRef>()

    /// Of those that do not wait apart.
    var count: Int { ready.count }
    /// Those that wait apart.
    var countApart: Int { apart.count }
    var isEmpty: Bool { ready.isEmpty && apart.isEmpty }

    /// The next to be sent; nil where there is none.
    var next: DeliverySlotRef? { ready.first }
    /// The next to be tried apart.
    var nextApart: DeliverySlotRef? { apart.first }

    /// The last to be sent.
    mutating func append(_ ref: DeliverySlotRef) { ready.append(ref) }

    /// Back to where it came from: the next to be sent.
    mutating func putBack(_ ref: DeliverySlotRef) { ready.prepend(ref) }
    mutating func putBack(_ refs: [DeliverySlotRef]) { ready.prepend(contentsOf: refs) }

    mutating func removeNext() { ready.removeFirst() }
    mutating func removeNextApart() { apart.removeFirst() }

    /// The next one is a suspect.
    mutating func setNextApart() { apart.append(ready.removeFirst()) }

    /// The next that waits apart is no suspect any more: one like the others.
    mutating func clearNextApart() { ready.prepend(apart.removeFirst()) }

    /// Empties it; what is in it, those that wait apart first.
    mutating func takeAll() -> [DeliverySlotRef] {
        defer { (ready, apart) = ([], []) }
        // An array made of an empty deque writes to the empty array that all share: harmless, but the thread sanitizer objects.
        var all: [DeliverySlotRef] = []
        for queue in [apart, ready] where !queue.isEmpty { all += queue }
        return all
    }
}
