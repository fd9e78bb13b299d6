import KiteQCore
import KiteQWire
import NIOCore

/// The first bytes of a connection, which tell TLS from packets, and one framing from the other.
enum FirstBytes {
    static func read(_ input: [UInt8]) {
        var known: Framing?
        for count in 0...min(input.count, 64) {
            let buffer = ByteBuffer(bytes: input.prefix(count))
            do {
                let framing = try FirstPacket.framing(of: buffer.readableBytesSpan)
                precondition(known == nil || framing == known, "more bytes do not change what was told")
                known = framing ?? known
            } catch {
                precondition(known == nil, "what was told is not taken back")
                return
            }
        }
    }
}
