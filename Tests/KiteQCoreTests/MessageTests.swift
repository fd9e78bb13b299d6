import NIOCore
import Testing

@testable import KiteQCore

@Suite struct MessageTests {
    private static func message(_ header: ByteBuffer, _ body: ByteBuffer, _ extra: ByteBuffer?) -> Message {
        Message(
            id: MessageID(high: 1, low: 2), kind: .bytes, topic: "a topic of some length", messageType: "paid",
            publisherGroup: "p-pay", expiresAt: 3, deliverLimit: 4, publishedAt: 5, header: header, body: body,
            extra: extra)
    }

    /// An absent part is not an empty one.
    @Test(arguments: [nil, 0, 1, 700], [0, 1, 650, 100_000])
    func itsBytesLieBehindItsFields(extraLength: Int?, bodyLength: Int) {
        let header = ByteBuffer(repeating: 104, count: 33)
        let body = ByteBuffer(repeating: 98, count: bodyLength)
        let extra = extraLength.map { ByteBuffer(repeating: 101, count: $0) }
        let message = Self.message(header, body, extra)
        #expect(message.header == header && message.body == body && message.extra == extra)
        #expect(message.footprint == 33 + bodyLength + (extraLength ?? 0) + 256)
        message.withBytes { header, body, extra in
            #expect(header.count == 33 && body.count == bodyLength && extra?.count == extraLength)
            #expect(header.allSatisfy { $0 == 104 } && body.allSatisfy { $0 == 98 })
        }
        #expect(message.id == MessageID(high: 1, low: 2) && message.kind == .bytes)
        #expect(message.topic == "a topic of some length" && message.messageType == "paid")
        #expect(message.publisherGroup == "p-pay")
        #expect((message.expiresAt, message.deliverLimit, message.publishedAt) == (3, 4, 5))
    }

    /// The parts of a publish are slices of a read, which is used for other things afterwards.
    @Test func itKeepsNothingOfWhatItWasMadeFrom() {
        var read = ByteBuffer(string: "--header--body--extra")
        func slice(_ range: Range<Int>) -> ByteBuffer { read.getSlice(at: range.lowerBound, length: range.count)! }
        let message = Self.message(slice(2..<8), slice(10..<14), slice(16..<21))
        read.setRepeatingByte(0, count: 21, at: 0)
        #expect(String(buffer: message.header) == "header")
        #expect(String(buffer: message.body) == "body")
        #expect(message.extra.map { String(buffer: $0) } == "extra")
    }

    /// A WireError or the like comes through as it was thrown.
    @Test func whatAnUseOfItsBytesThrowsComesThrough() {
        struct Refused: Error {}
        let message = Self.message(ByteBuffer(), ByteBuffer(), nil)
        #expect(throws: Refused.self) { try message.withBytes { _, _, _ throws(Refused) in throw Refused() } }
    }
}
