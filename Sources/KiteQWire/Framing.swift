/// How packets follow one another on a connection. One connection uses one framing throughout, both ways.
package enum Framing: UInt8, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// Packets with nothing between them: the Go client.
    case plain
    /// Each packet after 4 bytes that hold its whole length, 19 + body length: the Java, PHP and C++ clients.
    case lengthPrefixed

    /// Bytes before the packet's own header.
    package var prefixLength: Int {
        switch self {
        case .plain: 0
        case .lengthPrefixed: 4
        }
    }

    package var description: String {
        switch self {
        case .plain: "plain"
        case .lengthPrefixed: "length-prefixed"
        }
    }
}
