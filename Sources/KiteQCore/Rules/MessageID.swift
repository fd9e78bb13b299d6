/// A message's identity: 16 bytes, which producers write as 32 hexadecimal digits (a UUID without dashes).
package struct MessageID: Sendable, Hashable, Comparable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Exactly 32 hexadecimal digits of either case; anything else is nil.
    package init?(_ text: String) {
        var text = text
        let parsed = text.withUTF8 { digits -> (UInt64, UInt64)? in
            guard digits.count == 32, let high = Self.parse(digits[0..<16]), let low = Self.parse(digits[16..<32]) else {
                return nil
            }
            return (high, low)
        }
        guard let parsed else { return nil }
        self.init(high: parsed.0, low: parsed.1)
    }

    /// 16 bytes, as the store has them.
    package init?(bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 16 else { return nil }
        self.init(
            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }

    package static func random() -> MessageID {
        MessageID(high: .random(in: .min ... .max), low: .random(in: .min ... .max))
    }

    /// Calls `body` with the 16 bytes.
    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withUnsafeBytes(of: (high.bigEndian, low.bigEndian), body)
    }

    /// Ids are random, but a producer may count: both halves are mixed into one word.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(high ^ (low &* 0x9E37_79B9_7F4A_7C15))
    }

    package static func < (a: MessageID, b: MessageID) -> Bool {
        (a.high, a.low) < (b.high, b.low)
    }

    private static func parse(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            let nibble: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): nibble = digit &- UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): nibble = digit &- UInt8(ascii: "a") &+ 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): nibble = digit &- UInt8(ascii: "A") &+ 10
            default: return nil
            }
            value = value << 4 | UInt64(nibble)
        }
        return value
    }
}

extension MessageID: CustomStringConvertible {
    /// 32 lower-case digits.
    package var description: String {
        String(unsafeUninitializedCapacity: 32) { text in
            for (half, word) in [high, low].enumerated() {
                for digit in 0..<16 {
                    let nibble = UInt8(truncatingIfNeeded: word >> UInt64(60 - digit * 4)) & 15
                    text[half * 16 + digit] = nibble < 10 ? 48 + nibble : 87 + nibble
                }
            }
            return 32
        }
    }
}
