/// A message's identity: 16 bytes, which producers write as 32 hexadecimal digits (a UUID without dashes).
///
/// Ordered as its bytes are, and so as MySQL orders `binary(16)`.
package struct MessageID: Sendable, Hashable, Comparable {
    package static let byteCount = 16

    /// The first eight bytes, most significant first.
    package let high: UInt64
    /// The last eight bytes.
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Exactly 32 hexadecimal digits of either case; anything else is nil.
    package init?(_ text: some StringProtocol) {
        let parsed = text.utf8.withContiguousStorageIfAvailable { Self(utf8: UnsafeRawBufferPointer($0)) }
        if let parsed {
            guard let parsed else { return nil }
            self = parsed
        } else {
            // Only bridged text is not contiguous.
            var copy = String(text)
            guard let id = copy.withUTF8({ Self(utf8: UnsafeRawBufferPointer($0)) }) else { return nil }
            self = id
        }
    }

    /// Exactly 32 hexadecimal digits in ASCII, of either case; anything else is nil.
    package init?(utf8 text: UnsafeRawBufferPointer) {
        guard text.count == 32 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        var seen: UInt8 = 0
        digitValues.withUnsafeBufferPointer { values in
            for index in 0..<16 {
                let first = values[Int(text[index])]
                let second = values[Int(text[index &+ 16])]
                // One test at the end in place of 32: a value above 15 marks what is no digit, and stays in here.
                seen |= first | second
                high = high << 4 | UInt64(first & 15)
                low = low << 4 | UInt64(second & 15)
            }
        }
        guard seen < 16 else { return nil }
        self.init(high: high, low: low)
    }

    /// The 16 bytes as the store has them; nil for any other number of bytes.
    package init?(bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.byteCount else { return nil }
        self.init(
            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }

    /// An id that nobody else has: 128 bits of the system's random numbers.
    package static func random() -> MessageID {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    package static func random(using generator: inout some RandomNumberGenerator) -> MessageID {
        MessageID(high: generator.next(), low: generator.next())
    }

    /// Calls `body` with the 16 bytes, which are valid until it returns.
    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withUnsafeBytes(of: (high.bigEndian, low.bigEndian), body)
    }

    /// Writes the 16 bytes to the start of a buffer that has room for them.
    package func write(to buffer: UnsafeMutableRawBufferPointer) {
        precondition(buffer.count >= Self.byteCount, "a message id needs 16 bytes, the buffer has \(buffer.count)")
        buffer.storeBytes(of: high.bigEndian, as: UInt64.self)
        buffer.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }

    package static func < (a: MessageID, b: MessageID) -> Bool {
        a.high == b.high ? a.low < b.low : a.high < b.high
    }
}

extension MessageID: CustomStringConvertible {
    /// 32 lower-case digits.
    package var description: String {
        String(unsafeUninitializedCapacity: 32) { text in
            for index in 0..<16 {
                let shift = UInt64(60 &- index &* 4)
                text[index] = Self.digit(high >> shift)
                text[index &+ 16] = Self.digit(low >> shift)
            }
            return 32
        }
    }

    private static func digit(_ word: UInt64) -> UInt8 {
        let digits: StaticString = "0123456789abcdef"
        return digits.utf8Start[Int(truncatingIfNeeded: word & 15)]
    }
}

/// The value of each ASCII character as a hexadecimal digit; 0xFF for what is none.
private let digitValues: [UInt8] = (0...UInt8.max).map { character in
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
    default: 0xFF
    }
}
