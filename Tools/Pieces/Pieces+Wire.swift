import KiteQCore
import KiteQWire
import NIOCore

extension Pieces {
    static func wire() throws -> [Piece] {
        let packets = try Sample.packets()
        var decoder = PacketDecoder(framing: .plain)
        var rest = packets
        guard let packet = try decoder.next(from: &rest) else { preconditionFailure("the packets are whole") }
        let parts = try MessageBody.split(packet.body)
        let header = try MessageHeaderView(decoding: parts.header)
        let id = Array(header.messageID.utf8)
        return [
            Piece(name: "frame decoding", count: Sample.count) {
                var buffer = packets
                var decoder = PacketDecoder(framing: .plain)
                while let packet = try decoder.next(from: &buffer) { use(packet) }
            },
            Piece(name: "body split and header decoding", count: Sample.count) {
                for _ in 0..<Sample.count {
                    let parts = try MessageBody.split(packet.body)
                    use(try MessageHeaderView(decoding: parts.header))
                }
            },
            Piece(name: "store ack encoding", count: Sample.count) {
                var buffer = ByteBuffer()
                for opaque in 0..<Sample.count {
                    PacketWriter.writeStoreAck(
                        into: &buffer, framing: .plain, opaque: Int32(opaque), version: 0, extension: 0, messageID: id,
                        status: true, feedback: "stored")
                }
                use(buffer)
            },
            Piece(name: "delivery encoding", count: Sample.count) {
                var buffer = ByteBuffer()
                for opaque in 0..<Sample.count {
                    try PacketWriter.writeDelivery(
                        into: &buffer, framing: .plain, opaque: Int32(opaque), version: 0, extension: 0,
                        command: .bytesMessage, header: parts.header, body: parts.body, extra: nil)
                }
                use(buffer)
            },
        ]
    }
}
