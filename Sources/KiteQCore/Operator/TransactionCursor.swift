/// How far a listing of open transactions has come in each shard.
package struct TransactionCursor: Sendable, Hashable, LosslessStringConvertible {
    /// The last one given of each shard.
    package var places: [DueTransaction.Place]

    package init(shards: Int) {
        places = Array(repeating: .init(nextCheckAt: .min, seq: .min), count: shards)
    }

    /// As ``description`` writes it; anything else is nil.
    package init?(_ text: String) {
        places = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let numbers = part.split(separator: ".", omittingEmptySubsequences: false)
            guard numbers.count == 2, let nextCheckAt = Timestamp(numbers[0]), let seq = Int64(numbers[1]) else {
                return nil
            }
            places.append(.init(nextCheckAt: nextCheckAt, seq: seq))
        }
    }

    /// `TIME.SEQ,TIME.SEQ`, a pair for each shard.
    package var description: String { places.map { "\($0.nextCheckAt).\($0.seq)" }.joined(separator: ",") }
}
