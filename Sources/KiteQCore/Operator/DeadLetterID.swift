/// Where a dead letter lies: the shard, and `kite_dead_letter.id` there. Written `0:17`. An id is never used again.
package struct DeadLetterID: Sendable, Hashable, LosslessStringConvertible {
    package var shard: Int
    package var number: Int64

    package init(shard: Int, number: Int64) {
        self.shard = shard
        self.number = number
    }

    /// `SHARD:ID` with a shard from 0 to 255; anything else is nil.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.allSatisfy { ("0"..."9").contains($0) } }),
            let shard = UInt8(parts[0]), let number = Int64(parts[1])
        else { return nil }
        self.init(shard: Int(shard), number: number)
    }

    package var description: String { "\(shard):\(number)" }
}
