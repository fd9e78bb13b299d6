import KiteQWire
import NIOCore
import SwiftProtobuf
import Testing

/// The small bodies: what is required, what is repaired, what a transaction's answer carries.
@Suite struct AckTests {
    private func code(_ decode: () throws -> Void) throws -> WireError.Code {
        try #require(throws: WireError.self) { try decode() }.code
    }

    @Test(arguments: [
        "", "1200 1a00 2200 2801", "0a00 1a00 2200 2801", "0a00 1200 2200 2801", "0a00 1200 1a00 2801",
        "0a00 1200 1a00 2200", "0a00 1200 1a00 2200 2a0101",
    ]) func deliverAckLacks(_ hex: String) throws {
        let body = ByteBuffer(hex: hex)
        #expect(try code { _ = try DeliverAck(decoding: body) } == .missingField)
        #expect(throws: (any Error).self) { try ProtoDeliverAck(decoding: body) }
    }

    @Test func deliverAckWithoutFeedback() throws {
        let ack = try DeliverAck(decoding: ByteBuffer(hex: "0a0161 1200 1a00 2200 2800"))
        #expect((ack.messageID, ack.status, ack.feedback) == ("a", false, ""))
    }

    /// A consumer's error text in another encoding is no reason to take its connection and deliver again.
    @Test func feedbackIsRepaired() throws {
        let ack = try DeliverAck(decoding: ByteBuffer(hex: "0a00 1200 1a00 2200 2800 3203 61ff62"))
        #expect(ack.feedback == "a\u{FFFD}b")
        #expect(try TransactionAck(decoding: ByteBuffer(hex: "0a00 1002 1a01 ff")).feedback == "\u{FFFD}")
    }

    @Test func namesOfADeliverAckAreUTF8() throws {
        for hex in ["0a01ff 1200 1a00 2200 2801", "0a00 1201ff 1a00 2200 2801", "0a00 1200 1a01ff 2200 2801"] {
            #expect(try code { _ = try DeliverAck(decoding: ByteBuffer(hex: hex)) } == .invalidText)
        }
    }

    @Test func missingFieldsOfTheOthers() throws {
        #expect(try code { _ = try HeartBeat(decoding: ByteBuffer()) } == .missingField)
        #expect(try code { _ = try ConnMeta(decoding: ByteBuffer(hex: "0a00")) } == .missingField)
        #expect(try code { _ = try ConnMeta(decoding: ByteBuffer(hex: "1200")) } == .missingField)
        #expect(try code { _ = try ConnAuthAck(decoding: ByteBuffer(hex: "0801")) } == .missingField)
        #expect(try code { _ = try ConnAuthAck(decoding: ByteBuffer(hex: "1200")) } == .missingField)
        #expect(try code { _ = try StoreAck(decoding: ByteBuffer(hex: "1001 1a00")) } == .missingField)
        #expect(try code { _ = try StoreAck(decoding: ByteBuffer(hex: "0a00 1a00")) } == .missingField)
        #expect(try code { _ = try StoreAck(decoding: ByteBuffer(hex: "0a00 1001")) } == .missingField)
        #expect(try code { _ = try TransactionAck(decoding: ByteBuffer(hex: "1001 1a00")) } == .missingField)
        #expect(try code { _ = try TransactionAck(decoding: ByteBuffer(hex: "0a00 1a00")) } == .missingField)
        #expect(try code { _ = try TransactionAck(decoding: ByteBuffer(hex: "0a00 1001")) } == .missingField)
        #expect(try code { _ = try ConnMeta(decoding: ByteBuffer(hex: "0a01ff 1200")) } == .invalidText)
    }

    @Test func transactionHeaderIsMerged() throws {
        let ack = try TransactionAck(decoding: ByteBuffer(hex: "0a023801 1007 1a00 0a024001"))
        #expect(ack.header.hex == "38014001")
        #expect(ack.status == 7)
    }

    @Test func statusNegative() throws {
        var packet = ByteBuffer()
        try PacketWriter.writeTransactionAck(
            into: &packet, framing: .plain, opaque: 0, version: 0, extension: 0, header: ByteBuffer(), status: -1,
            feedback: "")
        var decoder = PacketDecoder(framing: .plain)
        let body = try #require(try decoder.decode(buffer: &packet)).body
        #expect(try TransactionAck(decoding: body).status == -1)
    }

    @Test func headerSetButEmptyIsRefusedWhereItIsRead() throws {
        let ack = try TransactionAck(decoding: ByteBuffer(hex: "0a00 1001 1a00"))
        #expect(try code { _ = try MessageHeaderView(decoding: ack.header) } == .missingField)
    }

    @Test func generatedMessagesSayWhatIsWrong() throws {
        #expect(try code { _ = try ProtoHeartBeat(decoding: ByteBuffer()) } == .missingField)
        #expect(try code { _ = try ProtoHeartBeat(decoding: ByteBuffer(hex: "08")) } == .malformedBody)
        #expect(try code { _ = try ProtoConnMeta(decoding: ByteBuffer(hex: "0a01ff 1200")) } == .invalidText)
        #expect(try code { _ = try ProtoHeartBeat().serializedBuffer() } == .missingField)
    }
}
