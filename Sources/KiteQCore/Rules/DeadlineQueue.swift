import DequeModule

/// Deliveries by opaque, in the order of their deadlines, where a deadline that is set anew is appended once more.
///
/// What was appended before is stale then, as is a delivery that was answered: whoever holds the queue says so when it asks
/// to be rid of that. It costs no search and no shifting to move a delivery, and at most twice the memory.
struct DeadlineQueue: Sendable {
    struct Item: Sendable, Hashable {
        var opaque: UInt32
        var deadline: MonotonicTime
    }

    private var items = Deque<Item>()

    var first: Item? { items.first }
    var count: Int { items.count }

    mutating func append(_ opaque: UInt32, deadline: MonotonicTime) {
        items.append(Item(opaque: opaque, deadline: deadline))
    }

    /// Lets go of stale items: those at the front, and all of them where they outnumber the `live` ones.
    mutating func drop(live: Int, where isStale: (Item) -> Bool) {
        while let item = items.first, isStale(item) { items.removeFirst() }
        if items.count > 2 * live + 64 { items.removeAll(where: isStale) }
    }

    mutating func removeAll() { items.removeAll() }
}
