import KiteQCore

/// A body as one number, to tell it from another one that is published under the same id: by its length and both its ends, for this is
/// done twice for each message, and a body may have 2 MiB. Whoever wants two of one number can make them.
enum BodySample {
    /// Bytes at each end of a long body.
    private static let end = 512
    private static let factor: UInt64 = 0x9E37_79B9_7F4A_7C15

    static func of(_ body: UnsafeRawBufferPointer) -> UInt64 {
        var hash = SubjectHash.start ^ UInt64(body.count)
        if body.count > 2 * end {
            mix(UnsafeRawBufferPointer(rebasing: body.prefix(end)), into: &hash)
            mix(UnsafeRawBufferPointer(rebasing: body.suffix(end)), into: &hash)
        } else {
            mix(body, into: &hash)
        }
        return hash
    }

    /// In four rows beside each other: in one, each product would wait for the one before.
    private static func mix(_ part: UnsafeRawBufferPointer, into hash: inout UInt64) {
        func word(_ offset: Int) -> UInt64 { part.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
        var rows = (hash, ~hash, hash &+ factor, ~hash &+ factor)
        var offset = 0
        while offset &+ 32 <= part.count {
            rows.0 = step(rows.0, word(offset))
            rows.1 = step(rows.1, word(offset &+ 8))
            rows.2 = step(rows.2, word(offset &+ 16))
            rows.3 = step(rows.3, word(offset &+ 24))
            offset &+= 32
        }
        while offset &+ 8 <= part.count {
            rows.0 = step(rows.0, word(offset))
            offset &+= 8
        }
        while offset < part.count {
            rows.0 = step(rows.0, UInt64(part[offset]))
            offset &+= 1
        }
        hash = step(step(step(rows.0, rows.1), rows.2), rows.3)
    }

    private static func step(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        // The high bits of a product are those that all of the word has gone into.
        let product = (hash ^ word) &* factor
        return product ^ product >> 32
    }
}
