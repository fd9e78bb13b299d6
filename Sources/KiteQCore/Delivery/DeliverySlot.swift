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

        var group: Int
        var attempts: Int
        var isPersistent: Bool
        var progress: Progress

        var isActive: Bool { progress != .left }
    }

    /// 0 for a fly message: it is in no store.
    var seq: Int64
    var shard: Int
    /// Where its topic is counted.
    var topic: Int
    var message: Message
    var owed: [Owed]
    /// Whether the store has delivery rows of it, or will once what was emitted is written.
    var isTracked: Bool
    /// Some group has finished it.
    var isPartial = false
    var generation: UInt32
    /// When it came; nil for one that was read back from the store.
    var acceptedAt: MonotonicTime?
    var isFree = false

    var isFly: Bool { seq == 0 }

    /// Its message is gone from memory; references to it are void.
    mutating func clear() {
        isFree = true
        owed = []
        message = Self.noMessage
        generation &+= 1
    }

    /// What a free slot holds: it keeps nobody's bytes.
    private static let noMessage = Message(
        id: MessageID(high: 0, low: 0), kind: .bytes, topic: "", messageType: "", publisherGroup: "", expiresAt: 0,
        deliverLimit: 1, publishedAt: 0, header: ByteBuffer(), body: ByteBuffer())

    func position(of group: Int) -> Int? { owed.firstIndex { $0.group == group } }
}

/// A slot as queues and windows remember it: no longer valid once the slot was given to another message.
struct DeliverySlotRef: Sendable, Hashable {
    var index: Int32
    var generation: UInt32
}
