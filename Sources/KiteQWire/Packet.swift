package import NIOCore

/// One packet as it came: its header, its body, and the framing of its connection.
///
/// The body is a slice of the read buffer and keeps all of that alive: copy it to its own size
/// (`ByteBuffer(buffer: body)`) where it outlives the read.
package struct Packet: Sendable, Hashable {
    package var header: PacketHeader
    package var body: ByteBuffer
    package var framing: Framing

    package init(header: PacketHeader, body: ByteBuffer, framing: Framing) {
        self.header = header
        self.body = body
        self.framing = framing
    }
}
