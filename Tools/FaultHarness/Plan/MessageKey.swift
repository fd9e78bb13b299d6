import SeededRandom

package import KiteQCore

/// The ids of one run's messages: number and id can be told from each other without a table.
package struct MessageKey: Sendable, Hashable {
    private let high: UInt64
    private let mask: UInt64

    package init(seed: UInt64) {
        high = SplitMix64.mix(seed ^ 0x6B69_7465_7121_0001)
        mask = SplitMix64.mix(seed ^ 0x6B69_7465_7121_0002)
    }

    /// 32 hexadecimal digits.
    package func id(of number: UInt32) -> String { messageID(of: number).description }

    package func messageID(of number: UInt32) -> MessageID { MessageID(high: high, low: UInt64(number) ^ mask) }

    /// Nil for an id that this run did not make.
    package func number(of id: String) -> UInt32? { MessageID(id).flatMap(number(of:)) }

    package func number(of id: MessageID) -> UInt32? {
        guard id.high == high else { return nil }
        return UInt32(exactly: id.low ^ mask)
    }
}
