/// Why bytes from a peer are not a packet, or a packet's body is not what its command says.
///
/// The message is one sentence for a log line; bytes of the peer appear in it escaped and shortened. None of these can
/// be helped by reading on: the connection they came from ends.
package struct WireError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable, CaseIterable {
        /// The first packet is not CONN_META.
        case firstPacketNotConnMeta
        /// A command in the JSON mode, which is not spoken.
        case jsonMode
        /// A body length below 0.
        case negativeLength
        /// A body above 2 MiB, read or to be written.
        case bodyTooLarge
        /// A length prefix that is not 19 + body length.
        case lengthPrefixMismatch
        /// The connection ended within a packet.
        case truncatedPacket
        /// A body that is not well-formed protobuf.
        case malformedBody
        /// A body without a required field.
        case missingField
        /// A text that is not UTF-8.
        case invalidText
    }

    package var code: Code
    package var message: String
    /// The framing in which an answer would be understood, as far as that is known.
    package var framing: Framing?
    /// The header of the packet at fault, where there was one: whom to answer before closing.
    package var header: PacketHeader?

    package init(_ code: Code, _ message: String, framing: Framing? = nil, header: PacketHeader? = nil) {
        self.code = code
        self.message = message
        self.framing = framing
        self.header = header
    }

    package var description: String { "\(code.rawValue): \(message)" }
}
