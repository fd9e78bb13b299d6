/// Makes the seqs of messages: primary keys that rise, so that rows append, without asking the database.
///
/// A seq is 41 bits of milliseconds since 2020, 10 bits that count within one, and 12 bits of the incarnation, so that two
/// brokers never make the same one at once unless their numbers are alike in these bits; then the primary key refuses the
/// second, and it is made again. Seqs never go back, whatever the clock does.
package struct SequenceGenerator: Sendable {
    /// 2020-01-01T00:00:00Z.
    private static let epoch: Timestamp = 1_577_836_800_000
    private static let counterBits: Int64 = 10
    private static let tagBits: Int64 = 12

    private let tag: Int64
    /// Milliseconds and counter of the last seq.
    private var last: Int64

    /// - Parameter floor: every seq is above this one.
    package init(incarnation: Int64, above floor: Int64 = 0) {
        tag = incarnation & ((1 << Self.tagBits) - 1)
        last = floor >> Self.tagBits
    }

    /// The next seq. More than 1,024 in a millisecond borrow from the following ones.
    package mutating func next(now: Timestamp) -> Int64 {
        let earliest = max(0, now - Self.epoch) << Self.counterBits
        last = max(last + 1, earliest)
        return last << Self.tagBits | tag
    }

    /// When a seq was made, give or take what was borrowed.
    package static func timestamp(of seq: Int64) -> Timestamp {
        (seq >> (counterBits + tagBits)) + epoch
    }
}
