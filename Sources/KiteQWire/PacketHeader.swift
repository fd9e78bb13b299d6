/// The 19 bytes before a packet's body, big-endian on the wire.
package struct PacketHeader: Sendable, Hashable {
    /// Bytes of the header: 4 opaque, 1 command, 2 version, 8 extension, 4 body length.
    package static let length = 19
    /// The longest body there is: 2 MiB.
    package static let maximumBodyLength = 2 * 1024 * 1024

    /// The request's number, chosen by who asks and echoed in the answer; 0 is a number like any other.
    package var opaque: Int32
    package var command: Command
    /// 0 from Go and PHP, 2 from Java. An answer echoes it; a delivery carries what the connection's CONN_META had.
    package var version: Int16
    /// 0; echoed like the version.
    package var `extension`: Int64
    /// Bytes of the body. What the decoder yields is within 0 ... ``maximumBodyLength``.
    package var bodyLength: Int32

    package init(opaque: Int32, command: Command, version: Int16, extension: Int64, bodyLength: Int32) {
        self.opaque = opaque
        self.command = command
        self.version = version
        self.extension = `extension`
        self.bodyLength = bodyLength
    }

    /// Reads a header as it stands, its body length unchecked. The caller has made sure of 19 bytes at `offset`.
    init(reading bytes: RawSpan, at offset: Int) {
        opaque = bytes.bigEndian(at: offset)
        command = Command(rawValue: bytes.bigEndian(at: offset + 4))
        version = bytes.bigEndian(at: offset + 5)
        `extension` = bytes.bigEndian(at: offset + 7)
        bodyLength = bytes.bigEndian(at: offset + 15)
    }
}
