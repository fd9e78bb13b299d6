/// Tells a connection's framing from its first bytes, which must be those of a CONN_META.
///
/// In plain framing byte 4 is the command; in length-prefixed framing byte 8 is, and the first four bytes hold
/// 19 + the body length of bytes 19 to 22. Where both commands fit, that sum decides.
package enum FirstPacket {
    /// - Returns: the framing, or nil if more bytes are needed.
    /// - Throws: ``WireError/Code/firstPacketNotConnMeta``, ``WireError/Code/jsonMode`` or
    ///   ``WireError/Code/lengthPrefixMismatch``. Its header and framing are set where the bytes look like a packet,
    ///   so that a client that spoke too early can be answered.
    package static func framing(of bytes: RawSpan) throws(WireError) -> Framing? {
        guard bytes.byteCount > 8 else { return nil }
        let prefix: Int32 = bytes.bigEndian(at: 0)
        let plainCommand = Command(rawValue: bytes.bigEndian(at: 4))
        let prefixedCommand = Command(rawValue: bytes.bigEndian(at: 8))
        let prefixFits = prefixes.contains(prefix)

        switch (plainCommand == .connMeta, prefixedCommand == .connMeta && prefixFits) {
        case (true, false):
            return .plain
        case (false, true):
            return .lengthPrefixed
        case (true, true):
            // A valid CONN_META has at least these 23 bytes in either framing: two required texts take 4.
            guard bytes.byteCount >= 4 + PacketHeader.length else { return nil }
            let bodyLength: Int32 = bytes.bigEndian(at: 19)
            return Int(prefix) == PacketHeader.length + Int(bodyLength) ? .lengthPrefixed : .plain
        case (false, false):
            if looksMeant(plainCommand) {
                return try refuse(bytes, .plain)
            }
            if looksMeant(prefixedCommand) && prefixFits {
                return try refuse(bytes, .lengthPrefixed)
            }
            if prefixedCommand == .connMeta {
                throw WireError(
                    .lengthPrefixMismatch,
                    "CONN_META comes with a length prefix of \(prefix), which no packet has.", framing: .lengthPrefixed)
            }
            throw WireError(
                .firstPacketNotConnMeta, "The first packet must be CONN_META, but the first bytes are \(shown(bytes)).")
        }
    }

    /// What a length prefix can be.
    private static let prefixes =
        Int32(PacketHeader.length)...Int32(PacketHeader.length + PacketHeader.maximumBodyLength)

    private static func looksMeant(_ command: Command) -> Bool { command.isKnown || command.isJSON }

    /// Refuses what looks like a packet, as soon as its header is here to be answered.
    private static func refuse(_ bytes: RawSpan, _ framing: Framing) throws(WireError) -> Framing? {
        guard bytes.byteCount >= framing.prefixLength + PacketHeader.length else { return nil }
        let header = PacketHeader(reading: bytes, at: framing.prefixLength)
        if header.command.isJSON { throw .jsonMode(header, framing) }
        throw WireError(
            .firstPacketNotConnMeta,
            "The first packet must be CONN_META, but \(header.command) came (\(framing) framing).",
            framing: framing, header: header)
    }

    /// Up to 16 bytes as text with everything but printable ASCII escaped: safe in a log.
    private static func shown(_ bytes: RawSpan) -> String {
        var text = "\""
        for offset in 0..<min(16, bytes.byteCount) {
            let byte: UInt8 = bytes.bigEndian(at: offset)
            switch byte {
            case 0x22, 0x5C: text += "\\" + String(UnicodeScalar(byte))
            case 0x20...0x7E: text.unicodeScalars.append(UnicodeScalar(byte))
            default: text += (byte < 16 ? "\\x0" : "\\x") + String(byte, radix: 16)
            }
        }
        return text + "\""
    }
}
