import Foundation
import KiteQCore
import Logging
import Synchronization
import Testing

@testable import kiteq

@Suite struct LogRecordTests {
    private let time = LogTime(seconds: 1_785_326_400, nanoseconds: 7_999_999)

    @Test func aRecordIsALine() {
        let record = LogRecord(
            time: time, level: .warning, message: "a packet is malformed",
            metadata: [("peer", "1.2.3.4:5"), ("why", "too long, it says")])
        #expect(
            record.text
                == "2026-07-29T12:00:00.007Z warning a packet is malformed peer=1.2.3.4:5 why=\"too long, it says\"\n")
    }

    @Test func aClientCannotBeginALineOfItsOwn() {
        let record = LogRecord(
            time: time, level: .info, message: "a\nb\u{1B}[2J", metadata: [("group", "x\r\n2026 error forged")])
        #expect(record.text.filter(\.isNewline).count == 1)
        #expect(!record.text.unicodeScalars.contains { $0.value == 0x1B })
        #expect(record.text.contains("a\\nb\\x1b[2J group=\"x\\r\\n2026 error forged\""))
    }

    /// Controls of C1, marks of direction, separators and what has no width, in both formats.
    @Test(arguments: ["\u{9B}2J", "\u{202E}", "\u{2066}", "\u{2028}", "\u{2029}", "\u{85}", "\u{200B}", "\u{E0041}"])
    func nothingHiddenIsInALine(text: String) throws {
        let record = LogRecord(time: time, level: .info, message: "a\(text)b", metadata: [("k\(text)", "v\(text)")])
        for line in [record.text, record.json] {
            #expect(
                line.hasSuffix("\n") && !line.dropLast().unicodeScalars.contains(where: VisibleText.isHidden), "\(line)"
            )
        }
        let object = try #require(try JSONSerialization.jsonObject(with: Data(record.json.utf8)) as? [String: String])
        #expect(object["message"] == "a\(text)b" && object["k\(text)"] == "v\(text)")
    }

    @Test func jsonIsJSON() throws {
        let record = LogRecord(
            time: time, level: .error, message: "\"quoted\" \\ \u{01}\n", metadata: [("level", "forged"), ("a", "支付")])
        let object = try #require(try JSONSerialization.jsonObject(with: Data(record.json.utf8)) as? [String: String])
        #expect(
            object == [
                "time": "2026-07-29T12:00:00.007Z", "level": "error", "message": "\"quoted\" \\ \u{01}\n",
                "level_": "forged", "a": "支付",
            ])
        #expect(record.json.filter(\.isNewline).count == 1)
    }

    @Test func theHandlerKeepsToItsLevelAndMergesMetadata() {
        let lines = Mutex<[String]>([])
        var logger = Logger(label: "test") { _ in
            StandardErrorLogHandler(LogConfiguration(level: .notice, format: .text)) { line in
                lines.withLock { $0.append(line) }
            }
        }
        logger[metadataKey: "shard"] = "0"
        logger.info("not this")
        logger.notice("this", metadata: ["shard": "1", "a": "b"])
        let written = lines.withLock { $0 }
        #expect(written.count == 1)
        #expect(written.first?.hasSuffix(" notice this a=b shard=1\n") == true)
    }
}
