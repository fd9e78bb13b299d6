import Foundation
import KiteQCore
import Testing

@testable import kiteq

@Suite struct MessageLineTests {
    private func line(_ body: MessageLine.Body) -> MessageLine {
        MessageLine(
            id: "0123456789abcdef0123456789abcdef", topic: "trade", messageType: "pay-succ", group: "p-trade",
            created: 1_700_000_000, properties: [("k", "v")], body: body)
    }

    @Test func aMessageIsALine() {
        #expect(
            line(.text("one\ntwo\u{1B}[2J")).text
                == "0123456789abcdef0123456789abcdef trade/pay-succ one\\ntwo\\x1b[2J  {k=v}")
        #expect(line(.bytes(Array("text".utf8))).text.contains(" text "))
        #expect(line(.bytes([0xFF, 0x00])).text.contains(" 0xff00 "))
    }

    /// Everything in it is the producer's: not the body alone.
    @Test func noPartOfAMessageMovesACursor() throws {
        let hostile = "\u{9B}2J\u{202E}\u{2028}\u{E0041}\n"
        let line = MessageLine(
            id: "0123456789abcdef0123456789abcdef", topic: hostile, messageType: hostile, group: hostile,
            created: 1_700_000_000, properties: [(hostile, hostile)], body: .text(hostile))
        for shown in [line.text, line.json] {
            #expect(!shown.unicodeScalars.contains(where: VisibleText.isHidden), "\(shown)")
        }
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.json.utf8)) as? [String: Any])
        #expect(object["topic"] as? String == hostile && object["body"] as? String == hostile)
        #expect(object["properties"] as? [String: String] == [hostile: hostile])
    }

    @Test func jsonKeepsTextAndBytesApart() throws {
        for (body, key, value) in [
            (MessageLine.Body.text("支付 \"x\"\n"), "body", "支付 \"x\"\n"), (.bytes([0, 255]), "bodyHex", "00ff"),
        ] {
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(line(body).json.utf8)) as? [String: Any])
            #expect(object[key] as? String == value)
            #expect(object["messageId"] as? String == "0123456789abcdef0123456789abcdef")
            #expect(object["createTime"] as? Int == 1_700_000_000)
            #expect(object["properties"] as? [String: String] == ["k": "v"])
        }
    }
}
