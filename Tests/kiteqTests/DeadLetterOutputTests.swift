import Foundation
import KiteQCore
import KiteQWire
import NIOCore
import Testing

@testable import KiteQStore
@testable import kiteq

/// What `kiteq dead-letters` prints: nothing in a message moves a cursor, ends a line, or is lost.
@Suite struct DeadLetterOutputTests {
    private func letter(group: String = "s-trade", kind: Message.Kind = .string) -> DeadLetter {
        DeadLetter(
            id: DeadLetterID(shard: 3, number: 17), seq: 99, messageID: MessageID(high: 0, low: 1), group: group,
            reason: group.isEmpty ? .undecided : .attemptsUsedUp, attempts: 7, lastError: "one\ntwo\u{1B}[2J",
            diedAt: 1_700_000_000_123, expiresAt: 1_700_000_000_000, publishedAt: 1_600_000_000_000, deliverLimit: 7,
            kind: kind, topic: "trade", messageType: "paid", publisherGroup: "p")
    }

    private func content(_ body: [UInt8], header: ByteBuffer? = nil) throws -> DeadLetter.Content {
        var proto = ProtoHeader()
        (proto.messageID, proto.topic, proto.messageType, proto.groupID) = ("x", "trade", "paid", "p")
        (proto.expiredTime, proto.deliverLimit, proto.commit, proto.fly) = (-1, 7, true, false)
        var entry = ProtoEntry()
        (entry.key, entry.value) = ("k\u{7}", "v\"")
        proto.properties = [entry]
        return DeadLetter.Content(
            header: try header ?? proto.serializedBuffer(), body: ByteBuffer(bytes: body),
            extra: ByteBuffer(bytes: [1, 2]))
    }

    @Test func aTableHasALineForEachLetter() {
        let lines = DeadLetterTable([letter(), letter(group: "")]).text.split(separator: "\n")
        #expect(
            lines == [
                "ID    DIED                      GROUP    TOPIC/TYPE  REASON     ATTEMPTS  MESSAGE ID                        LAST ERROR",
                "3:17  2023-11-14T22:13:20.123Z  s-trade  trade/paid  attempts   7         00000000000000000000000000000001  one\\ntwo\\x1b[2J",
                "3:17  2023-11-14T22:13:20.123Z  -        trade/paid  undecided  7         00000000000000000000000000000001  one\\ntwo\\x1b[2J",
            ])
        #expect(DeadLetterTable([]).text == "no dead letters")
    }

    @Test func aLetterIsShownForPeople() throws {
        let text = DeadLetterMessage(letter(), try content(Array("a\u{1B}[2J\nb".utf8))).text(letter())
        #expect(text.hasSuffix("\nbody         text, 7 bytes\na\\x1b[2J\\nb"))
        #expect(text.contains("\nproperty     k\\x7 = v\"\n"))
        #expect(text.contains("\nlast error   one\\ntwo\\x1b[2J\n"))
        #expect(text.contains("\nother        2 bytes"))
        let binary = DeadLetterMessage(letter(kind: .bytes), try content([0, 255])).text(letter(kind: .bytes))
        #expect(binary.hasSuffix("\nbody         bytes, 2 bytes\n0x00ff"))
        let broken = DeadLetterMessage(letter(), try content([], header: ByteBuffer(bytes: [0xFF]))).text(letter())
        #expect(broken.contains("\nheader       not readable: 0xff\n"))
    }

    @Test(arguments: [
        (Message.Kind.string, Array("a\n\"b\"".utf8), "body", "a\n\"b\""),
        (.bytes, Array("text".utf8), "bodyHex", "74657874"),
        (.string, [255, 0], "bodyHex", "ff00"),
    ])
    func aLetterIsAnObject(kind: Message.Kind, body: [UInt8], key: String, value: String) throws {
        let line = DeadLetterJSON(letter(kind: kind), DeadLetterMessage(letter(kind: kind), try content(body))).line
        #expect(!line.contains("\n"))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object[key] as? String == value)
        #expect(
            object["id"] as? String == "3:17" && object["seq"] as? Int == 99
                && object["diedAt"] as? Int == 1_700_000_000_123)
        #expect(object["properties"] as? [String: String] == ["k\u{7}": "v\""])
        #expect(object["lastError"] as? String == "one\ntwo\u{1B}[2J")
    }
}
