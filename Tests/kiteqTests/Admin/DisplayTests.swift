import Foundation
import KiteQCore
import Testing

@testable import KiteQAdminClient
@testable import kiteq

/// What operators see: in columns, in units, and never what a message wants of their terminal.
@Suite struct DisplayTests {
    @Test(arguments: [
        ("plain", "plain"), ("a\u{1B}[2Jb", #"a\x1b[2Jb"#), ("a\nb\r\tc", #"a\nb\r\tc"#), ("\u{9B}31m", #"\x9b31m"#),
        ("\u{0}\u{7F}", #"\x0\x7f"#), ("a\u{202E}b", #"a\u{202e}b"#), ("\u{2066}", #"\u{2066}"#),
        ("\u{2028}", #"\u{2028}"#), ("支付 é 👧", "支付 é 👧"),
    ])
    func nothingMovesACursor(text: String, shown: String) {
        var (table, fields) = (TextTable([.text("NAME"), .text("LAST")]), FieldList())
        table.add([text, text])
        fields.add("name", text)
        #expect(table.lines().last == "\(shown)  \(shown)")
        #expect(fields.lines == ["name  \(shown)"])
        #expect(sentence(for: CommandError(text)).allSatisfy { !$0.isNewline })
    }

    @Test(arguments: [("abc", 3), ("支付", 4), ("e\u{301}", 1), ("👩‍👧", 2), ("한글", 4), ("ｆ", 2), ("é", 1), ("", 0)])
    func widthIsInColumns(text: String, columns: Int) {
        #expect(DisplayText.width(text) == columns)
    }

    @Test(arguments: [
        ("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("支付宝", 5, "支付…"), ("支付宝", 4, "支…"), ("ab", 1, "…"),
        ("ab", 0, ""), ("", 0, ""),
    ])
    func whatDoesNotFitIsCut(text: String, columns: Int, cut: String) {
        #expect(DisplayText.cut(text, to: columns) == cut)
        #expect(DisplayText.width(DisplayText.cut(text, to: columns)) <= columns)
    }

    @Test func aTableIsInColumns() {
        var table = TextTable([.text("NAME"), .number("N"), .text("LAST")])
        table.add(["支付", "1", "one\ntwo\u{1B}[2J"])
        table.add(["", "1,234", ""])
        #expect(
            table.lines() == [
                "NAME      N  LAST", #"支付      1  one\ntwo\x1b[2J"#, "-     1,234  -",
            ])
        #expect(table.lines(width: 12) == ["NAME      N…", "支付      1…", "-     1,234…"])
        #expect(TextTable([.text("NAME"), .number("N")]).lines() == ["NAME  N"])
    }

    @Test func countsAreReadable() {
        #expect(
            [0, 7, 999, 1_000, 1_234_567, -1_234].map { Figures.count($0) } == [
                "0", "7", "999", "1,000", "1,234,567", "-1,234",
            ])
        #expect(Figures.count(API.Count(count: 100_000, isAtLeast: true)) == "100,000+")
        #expect(
            [0, 0.01, 0.05, 3.24, 9.94, 9.96, 1_234.5].map(Figures.rate) == [
                "0", "<0.1", "0.1", "3.2", "9.9", "10", "1,235",
            ])
        #expect(
            [0, 1_023, 1_024, 1_300, 15 << 20, 3 << 40].map(Figures.bytes)
                == ["0 B", "1023 B", "1.0 KiB", "1.3 KiB", "15 MiB", "3.0 TiB"])
    }

    @Test func timesAreReadable() {
        #expect(
            [-1, 0, 0.000_9, 0.0123, 0.9999, 1, 8.14, 45, 59.6, 192, 7_500, 273_600].map {
                Figures.duration(seconds: $0)
            }
                == ["0s", "0s", "<1ms", "12ms", "1.0s", "1.0s", "8.1s", "45s", "1m00s", "3m12s", "2h05m", "3d4h"])
        let now = Date(timeIntervalSince1970: 1_700_000_000.5)
        #expect(Figures.time(now) == "2023-11-14T22:13:20.500Z")
        #expect(Figures.age(now.addingTimeInterval(-3), now: now) == "3s")
        #expect(Figures.age(now.addingTimeInterval(5), now: now) == "0s")
        #expect(Figures.wait(now.addingTimeInterval(90), now: now) == "in 1m30s")
        #expect(Figures.wait(now, now: now) == "due")
    }

    @Test func aBodyIsShownWithoutItsPowers() throws {
        let text = try Fixture.decode(
            API.Content.self,
            #"{"properties": {"k\u0007": "v\u001b[1m"}, "body": "a\u001b[2J\nb", "encoding": "text", "isCut": true, "bodyBytes": 1234}"#
        )
        #expect(
            ContentText.lines(text) == [
                #"property  k\x7 = v\x1b[1m"#, "body      text, 1,234 bytes, the first of them here", #"a\x1b[2J\nb"#,
            ])
        let bytes = try Fixture.decode(
            API.Content.self,
            #"{"properties": {}, "body": "AP8b", "encoding": "base64", "isCut": false, "bodyBytes": 3}"#)
        #expect(ContentText.lines(bytes) == ["body  3 bytes", "0x00ff1b"])
    }

    @Test func JSONHasNoControlCharacters() throws {
        let value = JSONValue.object([
            "b": .string("\u{1B}\u{9B}\u{7F}\n\"支"), "a": .array([.null, .number(1.5), .bool(true)]),
        ])
        #expect(value.text == #"{"a":[null,1.5,true],"b":"\u001b\u009b\u007f\n\"支"}"#)
        #expect(try Fixture.decode(JSONValue.self, value.text) == value)
    }

    @Test func coloursAreAskedFor() {
        #expect(Terminal.hasColors(environment: [:]))
        #expect(Terminal.hasColors(environment: ["NO_COLOR": ""]))
        #expect(!Terminal.hasColors(environment: ["NO_COLOR": "0"]))
        #expect(!Terminal.hasColors(environment: ["TERM": "dumb"]))
    }
}
