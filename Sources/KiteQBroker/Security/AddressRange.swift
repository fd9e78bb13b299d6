/// An address, or a network in the notation ADDRESS/BITS.
package struct AddressRange: Sendable, Hashable, CustomStringConvertible {
    private let address: InternetAddress
    /// Of the 128 of ``InternetAddress/bytes``.
    private let bits: Int
    /// As it was written.
    package let description: String

    /// `10.0.0.0/8`, `192.0.2.7`, `2001:db8::/32`. Nil for anything else, also where bits beyond the network are set: that is
    /// mostly a slip, and would trust more or less than was meant.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = InternetAddress(parts[0]) else { return nil }
        let width = address.isIPv4 ? 32 : 128
        var length = width
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let number = Int(parts[1]), (0...width).contains(number)
            else { return nil }
            length = number
        }
        self.address = address
        bits = 128 - width + length
        description = text
        let isWhole = (bits..<128).allSatisfy { !Self.bit($0, of: address) }
        guard isWhole else { return nil }
    }

    package func contains(_ other: InternetAddress) -> Bool {
        address.isIPv4 == other.isIPv4 && (0..<bits).allSatisfy { Self.bit($0, of: address) == Self.bit($0, of: other) }
    }

    private static func bit(_ index: Int, of address: InternetAddress) -> Bool {
        address.bytes[index >> 3] & (0x80 >> UInt8(index & 7)) != 0
    }
}
