/// Which shard a message lies in: 256 slots, each of them of one shard.
///
/// The slot of an id never changes: it is stored in `kite_slot`, and every broker must agree. A look-up is a hash of 16 bytes
/// and one array access.
package struct ShardMap: Sendable, Hashable {
    package static let slotCount = 256

    /// The shard of each slot.
    package let slots: [UInt8]
    package let shardCount: Int

    /// Slots dealt out to the shards in turn.
    /// - Parameter shards: 1 to 256.
    package init(shards: Int) {
        precondition((1...Self.slotCount).contains(shards), "there are 1 to 256 shards, not \(shards)")
        slots = (0..<Self.slotCount).map { UInt8($0 % shards) }
        shardCount = shards
    }

    /// Slots as they were stored; nil unless there are 256, and their shards are 0 up to the greatest without a gap.
    package init?(slots: [UInt8]) {
        guard slots.count == Self.slotCount, let greatest = slots.max(), Set(slots).count == Int(greatest) + 1 else {
            return nil
        }
        self.slots = slots
        shardCount = Int(greatest) + 1
    }

    package func shard(of id: MessageID) -> Int { Int(slots[Self.slot(of: id)]) }

    /// The top byte of a multiplicative mix of both halves: even where producers count their ids.
    package static func slot(of id: MessageID) -> Int {
        var word = (id.high ^ (id.low >> 32 | id.low << 32)) &* 0x9E37_79B9_7F4A_7C15
        word ^= word >> 32
        word = word &* 0xD6E8_FEB8_6659_FD93
        return Int(word >> 56)
    }
}
