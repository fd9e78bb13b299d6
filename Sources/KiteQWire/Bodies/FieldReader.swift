/// Walks the fields of one protobuf message, without copying and without allocating.
///
/// It accepts and rejects exactly what the generated code does (a test holds the two against each other): tags of at most
/// five bytes, varints of at most ten, groups nested up to the library's limit, lengths within the message. After each
/// ``next(in:)`` the properties describe the field; a field of a number that is known but of another wire type is an
/// unknown field, as proto2 has it.
///
/// The span is handed to each call instead of being stored, so that this needs no lifetime annotations.
struct FieldReader {
    enum WireType: UInt8 {
        case varint = 0
        case fixed64 = 1
        case lengthDelimited = 2
        case group = 3
        case endGroup = 4
        case fixed32 = 5
    }

    /// The field's number and wire type as its tag has them: what a known field is recognised by.
    private(set) var key = 0
    /// Offset of the field's tag.
    private(set) var start: Int
    /// Offset of what follows the tag, and in a length-delimited field the length.
    private(set) var contentStart: Int
    /// A varint field's value.
    private(set) var varint: UInt64 = 0
    /// Offset behind the field.
    private(set) var offset: Int
    private let end: Int
    private let groupsAllowed: Int

    /// - Parameters:
    ///   - range: offsets of the message within the span that each call is given.
    ///   - depth: 1 for a packet's body, one more for each message around this one.
    init(_ range: Range<Int>, depth: Int) {
        start = range.lowerBound
        contentStart = range.lowerBound
        offset = range.lowerBound
        end = range.upperBound
        // The library's limit of 100 counts messages and groups alike.
        groupsAllowed = 100 - depth
    }

    /// A length-delimited field's bytes, as offsets.
    var content: Range<Int> { Range(uncheckedBounds: (contentStart, offset)) }

    /// Goes to the next field, groups skipped whole.
    /// - Returns: false at the end of the message.
    @inline(__always)
    mutating func next(in bytes: RawSpan) throws(WireError) -> Bool {
        guard offset < end else { return false }
        start = offset
        // Nearly every field has a tag of one byte, and a number or a length of one.
        if end &- offset >= 2 {
            let tag = bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
            let value = bytes.unsafeLoad(fromByteOffset: offset &+ 1, as: UInt8.self)
            if (8..<0x80).contains(tag), value < 0x80 {
                if tag & 7 == WireType.varint.rawValue {
                    key = Int(tag)
                    varint = UInt64(value)
                    offset &+= 2
                    return true
                }
                if tag & 7 == WireType.lengthDelimited.rawValue, Int(value) <= end &- offset &- 2 {
                    key = Int(tag)
                    contentStart = offset &+ 2
                    offset = contentStart &+ Int(value)
                    return true
                }
            }
        }
        try readAny(in: bytes)
        return true
    }

    /// Reads a field of any form, the broken ones included.
    @inline(never)
    private mutating func readAny(in bytes: RawSpan) throws(WireError) {
        switch try readTag(in: bytes) {
        case .varint:
            varint = try readVarint(in: bytes)
        case .lengthDelimited:
            let length = try readVarint(in: bytes)
            guard length <= UInt64(end - offset) else { throw .malformed("a field is longer than its message") }
            contentStart = offset
            offset += Int(length)
        case .fixed64:
            try skip(8)
        case .fixed32:
            try skip(4)
        case .group:
            let group = key
            try skipGroup(number, in: bytes, allowed: groupsAllowed)
            key = group
        case .endGroup:
            throw .malformed("a group ends that never began")
        }
    }

    /// Reads a message to its end for its form alone.
    static func check(_ bytes: RawSpan, _ range: Range<Int>, depth: Int) throws(WireError) {
        var reader = FieldReader(range, depth: depth)
        while try reader.next(in: bytes) {}
    }

    @inline(__always)
    private mutating func readTag(in bytes: RawSpan) throws(WireError) -> WireType {
        // Within a group that is skipped the library takes a tag of any length; here, of five bytes at most.
        let tagStart = offset
        let tag = try readVarint(in: bytes)
        guard offset - tagStart <= 5 else { throw .malformed("a field's tag is too long") }
        return try take(tag: tag)
    }

    @inline(__always)
    private mutating func take(tag: UInt64) throws(WireError) -> WireType {
        guard tag <= UInt64(UInt32.max), tag >> 3 != 0, let type = WireType(rawValue: UInt8(tag & 7)) else {
            throw .malformed("a field's tag is not valid")
        }
        key = Int(tag)
        return type
    }

    private var number: Int { key >> 3 }

    /// Most are of one byte: those are read in place.
    @inline(__always)
    private mutating func readVarint(in bytes: RawSpan) throws(WireError) -> UInt64 {
        guard offset < end else { throw .malformed("it ends within a field") }
        let byte: UInt8 = bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
        offset += 1
        return byte < 0x80 ? UInt64(byte) : try readRest(of: byte, in: bytes)
    }

    private mutating func readRest(of first: UInt8, in bytes: RawSpan) throws(WireError) -> UInt64 {
        var byte = first
        var value = UInt64(byte & 0x7F)
        var shift: UInt64 = 7
        while true {
            guard offset < end else { throw .malformed("it ends within a field") }
            guard shift <= 63 else { throw .malformed("a number has more than ten bytes") }
            byte = bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
            offset += 1
            value |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }

    private mutating func skip(_ count: Int) throws(WireError) {
        guard end - offset >= count else { throw .malformed("it ends within a field") }
        offset += count
    }

    /// Skips to behind the end of the group whose start was just read, with a counter in place of recursion.
    private mutating func skipGroup(_ number: Int, in bytes: RawSpan, allowed: Int) throws(WireError) {
        var open = [number]
        guard open.count <= allowed else { throw .malformed("its groups are nested too deeply") }
        while let innermost = open.last {
            switch try take(tag: try readVarint(in: bytes)) {
            case .varint: _ = try readVarint(in: bytes)
            case .fixed64: try skip(8)
            case .fixed32: try skip(4)
            case .lengthDelimited:
                let length = try readVarint(in: bytes)
                guard length <= UInt64(end - offset) else { throw .malformed("a field is longer than its message") }
                offset += Int(length)
            case .group:
                open.append(self.number)
                guard open.count <= allowed else { throw .malformed("its groups are nested too deeply") }
            case .endGroup:
                guard self.number == innermost else { throw .malformed("a group ends that never began") }
                open.removeLast()
            }
        }
    }
}

extension WireError {
    static func malformed(_ why: String) -> WireError {
        WireError(.malformedBody, "The body is not well-formed protobuf: \(why).")
    }

    static func missing(_ field: StaticString, in message: StaticString) -> WireError {
        WireError(.missingField, "\(message) lacks the required field \(field).")
    }

    static func invalidText(_ field: StaticString, in message: StaticString) -> WireError {
        WireError(.invalidText, "The field \(field) of \(message) is not UTF-8.")
    }
}
