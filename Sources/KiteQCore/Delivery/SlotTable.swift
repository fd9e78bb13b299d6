import NIOCore

/// A message in memory, with the groups that have not finished it.
struct DeliverySlot: Sendable {
    /// One group that is still owed the message.
    struct Owed: Sendable {
        enum Progress: Sendable, Hashable {
            /// In the group's queue.
            case queued
            /// Accepted while a scan of the group's backlog is under way, which may or may not have seen it.
            case held
            /// Sent to a client, whose window has its deadline.
            case inFlight
            /// Left to the store: the group is away or cannot take it, and its scan will find it.
            case left
        }

        var group: GroupIndex
        var attempts: Int
        var isPersistent: Bool
        var progress: Progress

        var isActive: Bool { progress != .left }
    }

    /// 0 for a fly message: it is in no store.
    let seq: Int64
    let shard: Int
    /// Where its topic is counted.
    var topic: Int
    var message: Message
    fileprivate(set) var owed: [Owed]
    /// Whether the store has delivery rows of it, or will once what was emitted is written.
    fileprivate(set) var isTracked: Bool
    /// Some group has finished it.
    fileprivate(set) var isPartial = false
    fileprivate(set) var generation: UInt32 = 0
    /// When it came; nil for one that was read back from the store.
    let acceptedAt: MonotonicTime?
    fileprivate(set) var isFree = false

    init(
        seq: Int64, shard: Int, topic: Int, message: Message, owed: [Owed], isTracked: Bool,
        acceptedAt: MonotonicTime? = nil
    ) {
        self.seq = seq
        self.shard = shard
        self.topic = topic
        self.message = message
        self.owed = owed
        self.isTracked = isTracked
        self.acceptedAt = acceptedAt
    }

    var isFly: Bool { seq == 0 }

    /// Its message is gone from memory; references to it are void.
    fileprivate mutating func clear() {
        isFree = true
        owed = []
        message = Self.noMessage
        generation &+= 1
    }

    /// What a free slot holds: it keeps nobody's bytes.
    private static let noMessage = Message(
        id: MessageID(high: 0, low: 0), kind: .bytes, topic: "", messageType: "", publisherGroup: "", expiresAt: 0,
        deliverLimit: 1, publishedAt: 0, header: ByteBuffer(), body: ByteBuffer())

    func position(of group: GroupIndex) -> Int? { owed.firstIndex { $0.group == group } }
}

/// A slot as queues and windows remember it: no longer valid once the slot was given to another message.
struct DeliverySlotRef: Sendable, Hashable {
    var index: Int32
    var generation: UInt32
}

/// The messages in memory, each in a slot of its own, with the groups that have not finished it.
///
/// Who is owed what changes here alone, and what is accounted of each group with it.
struct SlotTable: Sendable {
    /// What messages in memory are to a group.
    struct Account: Sendable, Hashable {
        /// Messages that name it as owed, those left to the store included.
        var owed = 0
        /// Bytes of those that it works on: queued, held, parked or in flight.
        var bytes = 0
    }

    private var slots: [DeliverySlot] = []
    private var free: [Int32] = []
    /// By shard, then seq: two shards may hold the same seq.
    private var bySeq: [[Int64: Int32]]
    private var accounts: [Account] = []
    /// Of all messages.
    private(set) var bytes = 0

    init(shards: Int) { bySeq = Array(repeating: [:], count: shards) }

    var count: Int { slots.count - free.count }

    // MARK: Looking

    subscript(_ ref: DeliverySlotRef) -> DeliverySlot {
        _read { yield slots[Int(ref.index)] }
    }

    /// Whether its message is in memory still.
    func isCurrent(_ ref: DeliverySlotRef) -> Bool {
        slots[Int(ref.index)].generation == ref.generation && !slots[Int(ref.index)].isFree
    }

    func ref(of seq: Int64, _ shard: Int) -> DeliverySlotRef? { bySeq[shard][seq].map(ref) }

    func contains(_ seq: Int64, _ shard: Int) -> Bool { bySeq[shard][seq] != nil }

    func account(of group: GroupIndex) -> Account {
        accounts.indices.contains(group.value) ? accounts[group.value] : Account()
    }

    /// All messages.
    var refs: [DeliverySlotRef] { slots.indices.lazy.filter { !slots[$0].isFree }.map { ref(Int32($0)) } }

    private func ref(_ index: Int32) -> DeliverySlotRef {
        DeliverySlotRef(index: index, generation: slots[Int(index)].generation)
    }

    // MARK: Messages

    mutating func insert(_ slot: DeliverySlot) -> DeliverySlotRef {
        bytes += slot.message.footprint
        let index: Int32
        if let place = free.popLast() {
            index = place
            let generation = slots[Int(index)].generation &+ 1
            slots[Int(index)] = slot
            slots[Int(index)].generation = generation
        } else {
            index = Int32(slots.count)
            slots.append(slot)
        }
        if slot.seq != 0 { bySeq[slot.shard][slot.seq] = index }
        for p in slot.owed.indices { count(slot.owed[p], of: Int(index)) }
        return ref(index)
    }

    mutating func remove(_ ref: DeliverySlotRef) {
        let i = Int(ref.index)
        for p in slots[i].owed.indices { uncount(slots[i].owed[p], of: i) }
        bytes -= slots[i].message.footprint
        if slots[i].seq != 0 { bySeq[slots[i].shard][slots[i].seq] = nil }
        slots[i].clear()
        free.append(ref.index)
    }

    /// The store has delivery rows of it, or will once what was emitted is written.
    mutating func markTracked(_ ref: DeliverySlotRef) { slots[Int(ref.index)].isTracked = true }

    /// Some group has finished it.
    mutating func markPartial(_ ref: DeliverySlotRef) { slots[Int(ref.index)].isPartial = true }

    // MARK: Who is owed it

    mutating func owe(_ entry: DeliverySlot.Owed, _ ref: DeliverySlotRef) {
        slots[Int(ref.index)].owed.append(entry)
        count(entry, of: Int(ref.index))
    }

    @discardableResult
    mutating func removeOwed(_ position: Int, of ref: DeliverySlotRef) -> DeliverySlot.Owed {
        let entry = slots[Int(ref.index)].owed.remove(at: position)
        uncount(entry, of: Int(ref.index))
        return entry
    }

    /// Those that no group here is working on are the store's from now on.
    mutating func removeLeft(of ref: DeliverySlotRef) {
        let i = Int(ref.index)
        for entry in slots[i].owed where !entry.isActive { uncount(entry, of: i) }
        slots[i].owed.removeAll { !$0.isActive }
    }

    mutating func setProgress(_ progress: DeliverySlot.Owed.Progress, _ position: Int, of ref: DeliverySlotRef) {
        let i = Int(ref.index)
        let wasActive = slots[i].owed[position].isActive
        slots[i].owed[position].progress = progress
        let entry = slots[i].owed[position]
        guard entry.isActive != wasActive else { return }
        accounts[entry.group.value].bytes += entry.isActive ? slots[i].message.footprint : -slots[i].message.footprint
    }

    /// An attempt of the group at this position failed.
    mutating func addAttempt(_ position: Int, of ref: DeliverySlotRef) {
        slots[Int(ref.index)].owed[position].attempts += 1
    }

    private mutating func count(_ entry: DeliverySlot.Owed, of slot: Int) {
        while accounts.count <= entry.group.value { accounts.append(Account()) }
        accounts[entry.group.value].owed += 1
        if entry.isActive { accounts[entry.group.value].bytes += slots[slot].message.footprint }
    }

    private mutating func uncount(_ entry: DeliverySlot.Owed, of slot: Int) {
        accounts[entry.group.value].owed -= 1
        if entry.isActive { accounts[entry.group.value].bytes -= slots[slot].message.footprint }
    }
}
