import KiteQCore

/// A pulled delivery, in a text that its caller keeps: of which life of which broker it is, and where it is found there.
struct Receipt: Hashable {
    var incarnation: Int64
    var delivery: DeliveryMachine.PullReceipt
    /// The name of the broker that gave it.
    var broker: String

    /// Longer texts are no receipts; the names of brokers have at most 255 bytes.
    static let longest = 400
}

extension Receipt: LosslessStringConvertible {
    /// Numbers in hexadecimal, then the broker's name: `2a-0-1-9f86d081884c7d65~broker-1:13800`.
    var description: String {
        func hex(_ number: some FixedWidthInteger & UnsignedInteger) -> String { String(number, radix: 16) }
        let numbers = [
            hex(UInt64(bitPattern: incarnation)), hex(delivery.client.rawValue), hex(delivery.opaque),
            hex(delivery.key),
        ]
        return numbers.joined(separator: "-") + "~" + broker
    }

    init?(_ text: String) {
        guard text.utf8.count <= Self.longest else { return nil }
        let halves = text.split(separator: "~", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, !halves[1].isEmpty else { return nil }
        let numbers = halves[0].split(separator: "-", omittingEmptySubsequences: false)
        guard numbers.count == 4, let incarnation = UInt64(numbers[0], radix: 16),
            let client = UInt64(numbers[1], radix: 16), let opaque = UInt32(numbers[2], radix: 16),
            let key = UInt64(numbers[3], radix: 16)
        else { return nil }
        self.incarnation = Int64(bitPattern: incarnation)
        delivery = .init(client: DeliveryClientID(rawValue: client), key: key, opaque: opaque)
        broker = String(halves[1])
    }
}
