/// How far a listing has come in each shard; the next page follows. It belongs to the filter that it came from.
package struct DeadLetterCursor: Sendable, Hashable, LosslessStringConvertible {
    /// The last letter that was looked at. Its key in the index by time, whose second half is its key in the others.
    package struct Position: Sendable, Hashable {
        package var diedAt: Timestamp
        package var number: Int64

        package static let start = Position(diedAt: 0, number: 0)

        package init(diedAt: Timestamp, number: Int64) {
            self.diedAt = diedAt
            self.number = number
        }
    }

    package var positions: [Position]

    package init(shards: Int) { positions = Array(repeating: .start, count: shards) }

    /// As ``description`` writes it; anything else is nil.
    package init?(_ text: String) {
        var positions: [Position] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let numbers = part.split(separator: ".", omittingEmptySubsequences: false)
            guard numbers.count == 2, let diedAt = Timestamp(numbers[0]), let number = Int64(numbers[1]),
                diedAt >= 0, number >= 0
            else { return nil }
            positions.append(Position(diedAt: diedAt, number: number))
        }
        self.positions = positions
    }

    /// `TIME.ID,TIME.ID`, a pair for each shard.
    package var description: String { positions.map { "\($0.diedAt).\($0.number)" }.joined(separator: ",") }
}
