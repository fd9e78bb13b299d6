/// CRC-32 as Ethernet, zlib and MySQL's `CRC32()` have it.
enum CRC32 {
    /// Some 3 ns a byte.
    static func of(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var crc = UInt32.max
        for byte in bytes { crc = crc >> 8 ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] }
        return ~crc
    }

    /// What each value of the last byte changes.
    private static let table: [UInt32] = (0...UInt32(UInt8.max)).map { byte in
        (0..<8).reduce(byte) { crc, _ in crc >> 1 ^ (crc & 1 == 0 ? 0 : 0xEDB8_8320) }
    }
}
