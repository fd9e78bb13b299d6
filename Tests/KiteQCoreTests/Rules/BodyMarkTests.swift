import NIOCore
import Testing

@testable import KiteQCore

@Suite struct BodyMarkTests {
    private static func message(_ body: String) -> Message {
        Message(
            id: MessageID(high: 1, low: 2), kind: .string, topic: "t", messageType: "m", publisherGroup: "g",
            expiresAt: 9, deliverLimit: 7, publishedAt: 0, header: ByteBuffer(), body: ByteBuffer(string: body))
    }

    /// As `SELECT CRC32('123456789')` says.
    @Test func itIsTheServersCRC() {
        #expect(BodyMark(Self.message("123456789")) == BodyMark(length: 9, crc: 3_421_780_262))
        #expect(BodyMark(Self.message("")) == BodyMark(length: 0, crc: 0))
    }

    @Test func anotherBodyDoesNotMatch() {
        let mark = BodyMark(Self.message("order 17 is paid"))
        #expect(mark.matches(Self.message("order 17 is paid")))
        for other in ["order 18 is paid", "order 17 is paid ", ""] { #expect(!mark.matches(Self.message(other))) }
    }
}
