/// The last line by which a file says that it is whole: `# end`, in TOML and YAML a comment, or `...`, which ends a document of YAML.
/// What is cut has lost it, wherever it is cut; so a file that had one is not taken again without.
package enum EndMark {
    package static let lines = ["# end", "..."]

    /// Whether the last line that is not blank is one.
    package static func ends(_ bytes: some BidirectionalCollection<UInt8>) -> Bool {
        let blank = Set(" \t\r\n".utf8)
        var end = bytes.endIndex
        while end != bytes.startIndex, blank.contains(bytes[bytes.index(before: end)]) {
            end = bytes.index(before: end)
        }
        let text = bytes[..<end]
        let start = text.lastIndex(of: UInt8(ascii: "\n")).map(text.index(after:)) ?? text.startIndex
        return lines.contains { $0.utf8.elementsEqual(text[start...]) }
    }
}
