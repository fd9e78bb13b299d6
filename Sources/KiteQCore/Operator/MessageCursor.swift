/// How far a search has come in each shard; the next page follows. It belongs to the filter that it came from.
package struct MessageCursor: Sendable, Hashable, LosslessStringConvertible {
    package enum Order: String, Sendable, Hashable, CaseIterable {
        case oldestFirst = "o"
        case newestFirst = "n"
    }

    package var order: Order
    /// The last seq looked at in each shard.
    package var positions: [Int64]

    package init(_ order: Order, shards: Int) {
        self.order = order
        positions = Array(repeating: order == .oldestFirst ? -1 : Int64.max, count: shards)
    }

    /// As ``description`` writes it; anything else is nil.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let order = Order(rawValue: String(parts[0])) else { return nil }
        self.order = order
        positions = []
        for part in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
            guard let position = Int64(part), position >= -1 else { return nil }
            positions.append(position)
        }
    }

    /// `o:SEQ,SEQ` or `n:SEQ,SEQ`, one for each shard.
    package var description: String { "\(order.rawValue):" + positions.map(String.init).joined(separator: ",") }
}
