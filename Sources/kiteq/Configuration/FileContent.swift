import KiteQCore

/// What a file held when it was read, for a reload to compare with what it holds then.
struct FileContent: Sendable, Hashable {
    var path: String
    var bytes: [UInt8]

    /// Whether its last line has an end: what was cut while it was copied, or on a full disk, mostly has none.
    var endsWithALine: Bool { bytes.isEmpty || bytes.last == UInt8(ascii: "\n") }

    /// Why this looks like a part of a file, to follow its path; nil where it does not, or where nothing has changed.
    func cut(after old: FileContent) -> String? {
        if bytes == old.bytes { return nil }
        if bytes.count < old.bytes.count, old.bytes.starts(with: bytes) {
            return
                "holds the first \(bytes.count) of the \(old.bytes.count) bytes that it had and looks cut; where its end is meant "
                + "to go, change another line as well, such as a comment"
        }
        if EndMark.ends(old.bytes), !EndMark.ends(bytes) {
            return "does not end with the line '# end' as it did and looks cut; where it is whole, add that line"
        }
        return endsWithALine ? nil : "does not end with a line break and looks cut; where it is whole, add one"
    }
}
