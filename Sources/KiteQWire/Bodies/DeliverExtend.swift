package import NIOCore

/// A consumer's word that deliveries are being worked on: their time for an answer starts anew. There is no reply.
///
/// An addition to the protocol (docs/protocol-extensions.md), sent only to a broker that said it takes it.
package struct DeliverExtend: Sendable, Hashable {
    /// So many opaques a packet are taken by every broker; a client that has more sends several.
    package static let maximumCount = 1_024

    /// The deliveries', on this connection.
    package var opaques: [UInt32]

    package init(opaques: [UInt32]) {
        self.opaques = opaques
    }

    /// - Parameter limit: how many opaques there may be; counted before memory is taken for them.
    /// - Throws: ``WireError/Code/malformedBody``, also where there are more than `limit`.
    package init(decoding body: ByteBuffer, limit: Int = .max) throws(WireError) {
        let span = body.readableBytesSpan
        var opaques: [UInt32] = []
        var reader = FieldReader(0..<span.byteCount, depth: 1)
        while try reader.next(in: span) {
            let content: Range<Int>
            switch reader.key {
            case 1 << 3 | 2: content = reader.content
            // Not packed, which a reader has to take as well.
            case 1 << 3 | 5: content = reader.offset - 4..<reader.offset
            default: continue
            }
            guard content.count % 4 == 0 else { throw .malformed("packed numbers of 4 bytes end within one") }
            guard content.count / 4 <= limit - opaques.count else {
                throw .malformed("DELIVER_EXTEND names more than \(limit) deliveries")
            }
            opaques.reserveCapacity(opaques.count + content.count / 4)
            for offset in stride(from: content.lowerBound, to: content.upperBound, by: 4) {
                let opaque: UInt32 = span.bigEndian(at: offset)
                // Protobuf's fixed numbers are little-endian.
                opaques.append(opaque.byteSwapped)
            }
        }
        self.init(opaques: opaques)
    }
}
