import NIOCore

/// Writes protobuf fields into room that was made for them, and says beforehand how long they will be.
///
/// Every write checks that it stays within the room: what was computed as the length and what is written must agree.
struct FieldWriter {
    private let room: UnsafeMutableRawBufferPointer
    /// Bytes written so far.
    private(set) var count = 0

    init(_ room: UnsafeMutableRawBufferPointer) {
        self.room = room
    }

    /// Bytes of a varint, 1 to 10.
    static func size(of number: Int64) -> Int {
        let bits = 64 - (UInt64(bitPattern: number) | 1).leadingZeroBitCount
        return (bits + 6) / 7
    }

    /// Bytes of a length-delimited field with a tag of one byte.
    static func size(ofBytes count: Int) -> Int { 1 + size(of: Int64(count)) + count }

    /// Bytes of a number with its tag, however long that is.
    static func size(ofKey key: Int, number: Int64) -> Int { size(of: Int64(key)) + size(of: number) }

    mutating func write(bigEndian integer: some FixedWidthInteger & BitwiseCopyable) {
        let size = MemoryLayout.size(ofValue: integer)
        room.storeBytes(of: integer.bigEndian, toByteOffset: claim(size), as: type(of: integer))
    }

    /// - Parameter key: number and wire type, below 128.
    mutating func write(_ key: Int, number: Int64) {
        write(bigEndian: UInt8(key))
        writeVarint(UInt64(bitPattern: number))
    }

    /// - Parameter longKey: number and wire type, of any size.
    mutating func write(longKey key: Int, number: Int64) {
        writeVarint(UInt64(key))
        writeVarint(UInt64(bitPattern: number))
    }

    /// - Parameter key: number and wire type, below 128.
    mutating func write(_ key: Int, bytes: UnsafeRawBufferPointer) {
        write(bigEndian: UInt8(key))
        writeVarint(UInt64(bytes.count))
        write(bytes)
    }

    mutating func write(_ key: Int, bytes: ByteBuffer) {
        bytes.withUnsafeReadableBytes { write(key, bytes: $0) }
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        let start = claim(bytes.count)
        UnsafeMutableRawBufferPointer(rebasing: room[start..<count]).copyMemory(from: bytes)
    }

    private mutating func writeVarint(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            write(bigEndian: UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        write(bigEndian: UInt8(truncatingIfNeeded: rest))
    }

    private mutating func claim(_ size: Int) -> Int {
        let start = count
        precondition(size <= room.count - start, "A packet came out longer than computed.")
        count += size
        return start
    }
}

extension ByteBuffer {
    /// Makes room for this many bytes, once, and has them written.
    mutating func write(exactly length: Int, _ body: (inout FieldWriter) -> Void) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: length) { room in
            var writer = FieldWriter(UnsafeMutableRawBufferPointer(rebasing: room[..<length]))
            body(&writer)
            precondition(writer.count == length, "A packet came out shorter than computed.")
            return length
        }
    }
}
