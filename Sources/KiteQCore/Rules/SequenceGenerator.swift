/// Makes the seqs of messages: primary keys that rise, so that rows append, without asking the database.
///
/// A seq is positive: 41 bits of milliseconds since 2020 (they last until 2089), 10 bits that count within one, and 12 bits of
/// the incarnation. Seqs of one generator strictly rise, whatever the clock does. Two brokers make the same seq only if their
/// incarnation numbers agree in 12 bits, so no two lives get such (`incarnation(after:_:)`).
package struct SequenceGenerator: Sendable {
    /// 2020-01-01T00:00:00Z.
    private static let epoch: Timestamp = 1_577_836_800_000
    private static let counterBits: Int64 = 10
    private static let tagBits: Int64 = 12
    /// The greatest value of milliseconds and counter together.
    private static let greatest: Int64 = 1 << 51 - 1

    private let tag: Int64
    /// Milliseconds and counter of the last seq.
    private var last: Int64

    /// - Parameters:
    ///   - incarnation: this start of the broker; its lowest 12 bits end every seq.
    ///   - floor: every seq is above this one, which is the greatest that is known to be taken. 0 or below: none is.
    package init(incarnation: Int64, above floor: Int64 = 0) {
        tag = incarnation & (1 << Self.tagBits - 1)
        last = max(0, floor >> Self.tagBits)
    }

    /// A number for a new incarnation: the wish, or a little more, larger than all that are known, and other than theirs in the
    /// bits that seqs end in (as long as fewer than 4,096 are known).
    package static func incarnation(after known: Set<Int64>, _ wish: Int64) -> Int64 {
        let mask: Int64 = 1 << tagBits - 1
        let tags = Set(known.map { $0 & mask })
        let least = max(wish, (known.max() ?? 0) + 1)
        return (least...least + mask).first { !tags.contains($0 & mask) } ?? least
    }

    /// The next seq. More than 1,024 in a millisecond borrow from the ones that follow, so a burst runs ahead of the clock,
    /// and the clock catches up with it.
    ///
    /// - Parameter now: Unix milliseconds. A clock that was set back, or stands before 2020, only counts on.
    package mutating func next(now: Timestamp) -> Int64 {
        let elapsed = min(max(now, Self.epoch) - Self.epoch, Self.greatest >> Self.counterBits)
        last = max(last + 1, elapsed << Self.counterBits)
        precondition(last <= Self.greatest, "the seqs are used up: the clock says that it is 2089 or later")
        return last << Self.tagBits | tag
    }

    /// When a seq was made, in Unix milliseconds; a little late for one that was borrowed.
    package static func timestamp(of seq: Int64) -> Timestamp {
        (seq >> (counterBits + tagBits)) + epoch
    }

    /// The smallest seq of a time: rows that are older have smaller ones, so an age can be asked for by the primary key.
    package static func smallest(at time: Timestamp) -> Int64 {
        min(max(time, epoch) - epoch, greatest >> counterBits) << (counterBits + tagBits)
    }
}
