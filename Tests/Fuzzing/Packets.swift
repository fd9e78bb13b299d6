import KiteQCore
import KiteQWire
import NIOCore

/// What a server reads before it knows who sends it: packets in either framing, and their bodies.
enum Packets {
    /// The first byte says how large the reads are that the rest comes in.
    static func read(_ input: [UInt8]) {
        guard let size = input.first else { return }
        let whole = packets(in: input.dropFirst(), by: .max)
        let pieces = packets(in: input.dropFirst(), by: max(1, Int(size)))
        precondition(whole == pieces, "a stream has other packets where it comes in other pieces")
        for packet in whole { look(into: packet) }
    }

    private static func packets(in bytes: ArraySlice<UInt8>, by size: Int) -> [Packet] {
        var decoder = PacketDecoder(maximumFirstLength: 16 << 10)
        var (buffer, found) = (ByteBuffer(), [Packet]())
        var rest = bytes
        do {
            while !rest.isEmpty {
                buffer.writeBytes(rest.prefix(size))
                rest = rest.dropFirst(size)
                while let packet = try decoder.next(from: &buffer) { found.append(packet) }
            }
        } catch {
            _ = "\(error)"
        }
        return found
    }

    /// As each of the bodies that there are: a packet says itself which it is, and is not to be believed.
    private static func look(into packet: Packet) {
        let body = packet.body
        tried { _ = try ConnMeta(decoding: body) }
        tried { _ = try HeartBeat(decoding: body) }
        tried { _ = try DeliverAck(decoding: body) }
        tried { _ = try StoreAck(decoding: body) }
        tried { _ = try ConnAuthAck(decoding: body) }
        tried { _ = try DeliverExtend(decoding: body, limit: 1_000) }
        tried { header(try TransactionAck(decoding: body).header) }
        tried { header(try MessageBody.split(body).header) }
        header(body)
    }

    private static func header(_ bytes: ByteBuffer) {
        tried {
            let header = try MessageHeaderView(decoding: bytes)
            let id = header.withMessageID { MessageID(utf8: $0) }
            precondition((id == nil) == (MessageID(header.messageID) == nil), "an id is one in both of its readings")
            let filled = try MessageHeaderView(decoding: header.bytes(fillingCreateTime: 1))
            precondition(filled.createTime ?? 0 > 0 && filled.topic.utf8.elementsEqual(header.topic.utf8))
        }
    }

    private static func tried(_ body: () throws -> Void) {
        do { try body() } catch { _ = "\(error)" }
    }
}
