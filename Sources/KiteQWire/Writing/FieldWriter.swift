import NIOCore

/// Writes protobuf fields into a buffer, and says beforehand how long they will be.
enum FieldWriter {
    /// Bytes of a varint, 1 to 10.
    static func size(of number: Int64) -> Int {
        let bits = 64 - (UInt64(bitPattern: number) | 1).leadingZeroBitCount
        return (bits + 6) / 7
    }

    /// Bytes of a length-delimited field with a tag of one byte.
    static func size(ofBytes count: Int) -> Int { 1 + size(of: Int64(count)) + count }

    static func writeVarint(_ number: UInt64, into buffer: inout ByteBuffer) {
        var rest = number
        while rest >= 0x80 {
            buffer.writeInteger(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        buffer.writeInteger(UInt8(truncatingIfNeeded: rest))
    }

    /// - Parameter key: number and wire type, below 128.
    static func writeNumber(_ key: Int, _ number: Int64, into buffer: inout ByteBuffer) {
        buffer.writeInteger(UInt8(key))
        writeVarint(UInt64(bitPattern: number), into: &buffer)
    }

    /// Tag and length of a field whose bytes the caller writes next.
    static func writeLength(_ key: Int, _ count: Int, into buffer: inout ByteBuffer) {
        buffer.writeInteger(UInt8(key))
        writeVarint(UInt64(count), into: &buffer)
    }

    static func writeBytes(_ key: Int, _ bytes: ByteBuffer, into buffer: inout ByteBuffer) {
        writeLength(key, bytes.readableBytes, into: &buffer)
        buffer.writeImmutableBuffer(bytes)
    }

    static func writeText(_ key: Int, _ text: Substring.UTF8View, into buffer: inout ByteBuffer) {
        writeLength(key, text.count, into: &buffer)
        buffer.writeBytes(text)
    }
}
