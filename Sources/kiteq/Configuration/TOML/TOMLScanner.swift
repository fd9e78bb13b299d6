/// Bytes of a document, and how far they are read.
///
/// It goes on, and not back but for the blanks behind one `\`: reading takes time in proportion to the bytes.
struct TOMLScanner: ~Copyable {
    let bytes: [UInt8]
    /// The byte that comes next, from 0.
    var offset: Int

    /// - Throws: where it is no UTF-8 text, or has control characters, of which TOML has only tabs and line breaks.
    init(_ bytes: [UInt8]) throws(TOMLError) {
        self.bytes = bytes
        offset = Self.textStart(of: bytes)
        do {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            throw TOMLError(reason: .notUTF8, offset: error.byteOffsets.lowerBound)
        }
        for (index, byte) in bytes.enumerated() where byte < 0x20 || byte == 0x7F {
            switch byte {
            case UInt8(ascii: "\t"), UInt8(ascii: "\n"): continue
            case UInt8(ascii: "\r") where index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "\n"): continue
            default: throw TOMLError(reason: .controlCharacter, offset: index)
            }
        }
    }

    /// What is behind a byte order mark.
    static func textStart(of bytes: [UInt8]) -> Int { bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0 }

    /// Nil at the end.
    var next: UInt8? { peek(0) }

    func peek(_ distance: Int) -> UInt8? {
        let index = offset + distance
        return index < bytes.count ? bytes[index] : nil
    }

    /// The line ends here, or the document.
    var isAtLineEnd: Bool {
        switch next {
        case nil, UInt8(ascii: "\n"), UInt8(ascii: "\r"): true
        default: false
        }
    }

    /// Goes on where this comes next.
    mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: byte) else { return false }
        offset += 1
        return true
    }

    mutating func takeLineBreak() -> Bool {
        if next == UInt8(ascii: "\r") { offset += 1 }
        return take("\n")
    }

    mutating func skipBlanks() {
        while next == UInt8(ascii: " ") || next == UInt8(ascii: "\t") { offset += 1 }
    }

    /// Blanks, line breaks and comments.
    mutating func skipLines() {
        repeat {
            skipBlanks()
            skipComment()
        } while takeLineBreak()
    }

    /// A line ends here, but for blanks and a comment.
    mutating func endLine() throws(TOMLError) {
        skipBlanks()
        skipComment()
        guard isAtLineEnd else { throw error(.lineGoesOn) }
    }

    func error(_ reason: TOMLError.Reason, at place: Int? = nil) -> TOMLError {
        TOMLError(reason: reason, offset: place ?? offset)
    }

    private mutating func skipComment() {
        guard next == UInt8(ascii: "#") else { return }
        while !isAtLineEnd { offset += 1 }
    }
}
