/// What a packet is for: one byte of its header.
///
/// A wrapper and not an enum, because a peer may send any byte: the decoder passes commands it does not know on, and
/// the session decides (see ``isKnown``). Only the JSON mode (``isJSON``) is refused while decoding.
package struct Command: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    package static let heartbeat = Command(rawValue: 0x01)
    package static let connMeta = Command(rawValue: 0x02)
    package static let connAuth = Command(rawValue: 0x03)
    package static let messageStoreAck = Command(rawValue: 0x04)
    package static let deliverAck = Command(rawValue: 0x05)
    package static let txAck = Command(rawValue: 0x06)
    /// An addition of this project (docs/protocol-extensions.md): not among the commands that every client knows.
    package static let deliverExtend = Command(rawValue: 0x07)
    package static let bytesMessage = Command(rawValue: 0x11)
    package static let stringMessage = Command(rawValue: 0x12)

    /// Whether this is one of the eight commands of the protocol that all clients speak.
    package var isKnown: Bool {
        (0x01...0x06).contains(rawValue) || rawValue == 0x11 || rawValue == 0x12
    }

    /// Whether this is a known command in the PHP client's JSON mode (command | 0x80), which is not spoken.
    package var isJSON: Bool {
        rawValue & 0x80 != 0 && Command(rawValue: rawValue & 0x7F).isKnown
    }

    /// The protocol's name, or the byte in hexadecimal.
    package var description: String {
        switch self {
        case .heartbeat: "HEARTBEAT"
        case .connMeta: "CONN_META"
        case .connAuth: "CONN_AUTH"
        case .messageStoreAck: "MESSAGE_STORE_ACK"
        case .deliverAck: "DELIVER_ACK"
        case .txAck: "TX_ACK"
        case .deliverExtend: "DELIVER_EXTEND"
        case .bytesMessage: "BYTES_MESSAGE"
        case .stringMessage: "STRING_MESSAGE"
        default: "command 0x" + (rawValue < 16 ? "0" : "") + String(rawValue, radix: 16)
        }
    }
}
