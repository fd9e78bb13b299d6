/// Makes the seqs of messages: primary keys that rise, so that rows append, without asking the database.
///
/// A seq is positive: 41 bits of milliseconds since 2020 (they last until 2089), 10 bits that count within one, and 12 bits of
/// the incarnation, its tag. Seqs of one generator strictly rise, whatever the clock does. Two brokers make the same seq only if
/// their tags agree, so no two lives that a store remembers have the same: the store itself refuses the second one.
package struct SequenceGenerator: Sendable {
    /// 2020-01-01T00:00:00Z.
    private static let epoch: Timestamp = 1_577_836_800_000
    private static let counterBits: Int64 = 10
    private static let tagBits: Int64 = 12
    /// The greatest value of milliseconds and counter together.
    private static let greatest: Int64 = 1 << 51 - 1

    /// How many tags there are, and so lives that a store can remember.
    package static let tagCount = 1 << 12
    /// A floor is believed to be somebody's clock that leads by this at most, in milliseconds. What lies further ahead is not
    /// counted on from: all ages would be wrong for as long, and a clock that comes there later meets the key of its row.
    private static let longestLead: Timestamp = 86_400_000

    private let tag: Int64
    /// Milliseconds and counter of the last seq.
    private var last: Int64

    /// - Parameters:
    ///   - incarnation: this start of the broker; its lowest 12 bits end every seq.
    ///   - floor: every seq is above this one, which is the greatest that is known to be taken. 0 or below: none is.
    package init(incarnation: Int64, above floor: Int64 = 0) {
        tag = Self.tag(of: incarnation)
        last = max(0, floor >> Self.tagBits)
    }

    /// What the seqs of an incarnation end in.
    package static func tag(of incarnation: Int64) -> Int64 { incarnation & (1 << tagBits - 1) }

    /// A number for a new incarnation: the wish, or a little more, larger than all that are known, with a tag that none of them
    /// has; nil where all tags are taken.
    package static func incarnation(after known: Set<Int64>, _ wish: Int64) -> Int64? {
        let tags = Set(known.map { tag(of: $0) })
        let least = max(wish, (known.max() ?? 0) + 1)
        return (least..<least + Int64(tagCount)).first { !tags.contains(tag(of: $0)) }
    }

    /// Above which seq a floor is not looked for any more, at a time.
    package static func highestFloor(now: Timestamp) -> Int64 { smallest(at: now + longestLead) }

    /// Every seq from now on is above this one too: a shard was joined that has it.
    package mutating func raise(above floor: Int64) { last = max(last, floor >> Self.tagBits) }

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
