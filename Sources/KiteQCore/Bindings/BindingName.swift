/// A name compared byte for byte.
///
/// `String` takes canonically equivalent spellings for equal; the Go and Java clients, the original broker and the
/// database's binary columns do not, and two groups that merge here would be one that starves.
package struct BindingName: Sendable, Hashable, Comparable {
    package let text: String

    @inlinable
    package init(_ text: String) { self.text = text }

    @inlinable
    package static func == (a: Self, b: Self) -> Bool {
        // Several times faster over their memory than over the views, and every publish comes here.
        let isEqual = a.text.utf8.withContiguousStorageIfAvailable { a in
            b.text.utf8.withContiguousStorageIfAvailable { b in
                areEqual(UnsafeRawBufferPointer(a), UnsafeRawBufferPointer(b))
            }
        }
        return (isEqual ?? nil) ?? a.text.utf8.elementsEqual(b.text.utf8)
    }

    /// Eight bytes at a time.
    @inlinable
    static func areEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        guard a.count == b.count else { return false }
        var offset = 0
        while offset &+ 8 <= a.count {
            let (word, other) = (
                a.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
                b.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            )
            if word != other { return false }
            offset &+= 8
        }
        while offset < a.count {
            if a[offset] != b[offset] { return false }
            offset &+= 1
        }
        return true
    }

    @inlinable
    package func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(0xFF as UInt8)  // No UTF-8 text holds this byte, so neighbouring names do not run together.
    }

    /// The order of the bytes, which is that of the code points.
    @inlinable
    package static func < (a: Self, b: Self) -> Bool { a.text.utf8.lexicographicallyPrecedes(b.text.utf8) }
}
