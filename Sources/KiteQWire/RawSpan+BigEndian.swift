extension RawSpan {
    /// The integer in network byte order at this offset; out of bounds is a trap, so check the count before.
    func bigEndian<Integer: FixedWidthInteger & BitwiseCopyable>(at offset: Int) -> Integer {
        Integer(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: Integer.self))
    }
}
