/// Which shard a message lies in: 256 slots, each of them of one shard.
///
/// The slot of an id never changes: `kite_slot` is kept in terms of it, and every broker must agree. It is the last byte of
/// the id's CRC-32 (IEEE), so that a DBA finds it too: `CRC32(message_id) & 255`. The CRC spreads ids that are counted or
/// begin with a time as well as random ones.
///
/// A look-up is 16 independent loads from a table of 4 KiB, and one array access: a CRC is linear, so the last byte of it is
/// the XOR of what each byte of the id at its place adds to it.
package struct ShardMap: Sendable, Hashable {
    package static let slotCount = 256

    /// The shard of each slot.
    package let slots: [UInt8]
    package let shardCount: Int

    /// Slots dealt out to the shards in turn, so that their numbers of slots differ by one at most; when the shards are
    /// doubled, each gives half of its slots to one new shard.
    ///
    /// - Parameter shards: 1 to 256.
    package init(shards: Int) {
        precondition((1...Self.slotCount).contains(shards), "there are 1 to 256 shards, not \(shards)")
        slots = (0..<Self.slotCount).map { UInt8($0 % shards) }
        shardCount = shards
    }

    /// Slots as they were stored or configured.
    ///
    /// - Parameters:
    ///   - slots: the shard of each of the 256 slots.
    ///   - shards: how many shards there are; one of them may have no slot (it is being filled, or was emptied). Nil: as many
    ///     as the slots name, without a gap.
    package init(validating slots: some Collection<Int>, shards: Int? = nil) throws(InvalidRule) {
        guard slots.count == Self.slotCount else {
            throw InvalidRule("a shard map has 256 slots, this one has \(slots.count)")
        }
        let count = shards ?? (slots.max() ?? 0) + 1
        guard (1...Self.slotCount).contains(count) else {
            throw InvalidRule("there are 1 to 256 shards, not \(count)")
        }
        if let (slot, shard) = slots.enumerated().first(where: { !(0..<count).contains($1) }) {
            throw InvalidRule("slot \(slot) is in shard \(shard), but the shards are 0 to \(count - 1)")
        }
        if shards == nil, let unused = Set(0..<count).subtracting(slots).min() {
            throw InvalidRule("no slot is in shard \(unused), but shard \(count - 1) has one")
        }
        self.slots = slots.map { UInt8($0) }
        shardCount = count
    }

    /// As ``init(validating:shards:)`` of the same numbers; nil where that throws.
    package init?(slots: [UInt8]) {
        do throws(InvalidRule) {
            try self.init(validating: slots.map { Int($0) })
        } catch {
            return nil
        }
    }

    package func shard(of id: MessageID) -> Int { Int(slots[Self.slot(of: id)]) }

    /// 0 to 255.
    package static func slot(of id: MessageID) -> Int {
        contributions.withUnsafeBufferPointer { table in
            var slot = constant
            var (high, low) = (id.high, id.low)
            for place in 0..<8 {
                // The last byte of each half comes first.
                slot ^= table[(7 &- place) << 8 | Int(truncatingIfNeeded: high & 0xFF)]
                slot ^= table[(15 &- place) << 8 | Int(truncatingIfNeeded: low & 0xFF)]
                high >>= 8
                low >>= 8
            }
            return Int(slot)
        }
    }

    /// How this map differs from another, as a sentence for the start-up check against `kite_slot`; nil where they agree.
    package func difference(from stored: ShardMap) -> String? {
        if shardCount != stored.shardCount {
            return "\(shardCount) shards are configured, \(stored.shardCount) are stored"
        }
        let different = slots.indices.filter { slots[$0] != stored.slots[$0] }
        guard let first = different.first else { return nil }
        return "slot \(first) is configured in shard \(slots[first]), and stored in shard \(stored.slots[first])"
            + (different.count > 1 ? ", and \(different.count - 1) more differ" : "")
    }

    /// The last byte of the CRC of sixteen zeros.
    private static let constant = UInt8(truncatingIfNeeded: CRC32.of([UInt8](repeating: 0, count: 16)))

    /// For each of the 16 places in turn, what each of the 256 bytes there changes in the last byte of the CRC.
    private static let contributions: [UInt8] = (0..<16).flatMap { place in
        (0...UInt8.max).map { byte in
            var bytes = [UInt8](repeating: 0, count: 16)
            bytes[place] = byte
            return UInt8(truncatingIfNeeded: CRC32.of(bytes)) ^ constant
        }
    }
}
