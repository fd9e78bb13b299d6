import Testing

@testable import kiteq

/// What is no TOML, or none for a configuration: where it is, and which sentence is said.
@Suite struct TOMLRefusalsTests {
    private func expect(_ text: String, _ line: Int, _ column: Int, _ reason: TOMLError.Reason, after: Int? = nil) {
        expect(
            Array(text.utf8),
            "line \(line), column \(column): \(reason.rawValue)\(after.map { ", on line \($0)" } ?? "")")
    }

    private func expect(_ bytes: [UInt8], _ sentence: String) {
        let error = #expect(throws: TOMLError.self) { try TOMLParser.table(of: bytes).configuration() }
        #expect(error?.sentence(of: bytes) == sentence)
    }

    @Test(
        arguments: [
            ("a", 2, .equalsMissing), ("a b = 1", 3, .equalsMissing), ("a : 1", 3, .equalsMissing),
            ("= 1", 1, .nameMissing),
            ("a. = 1", 4, .nameMissing), (".a = 1", 1, .nameMissing), ("a..b = 1", 3, .nameMissing),
            ("\u{E4} = 1", 1, .nameMissing), ("]", 1, .nameMissing), ("\"\"\"a\"\"\" = 1", 1, .nameInThree),
            ("'''a''' = 1", 1, .nameInThree), ("\"a = 1", 1, .textNotClosed), ("[a", 3, .sectionOpen),
            ("[a b]", 4, .sectionOpen),
            ("[[a]", 5, .sectionOpen), ("[[a] ]", 5, .sectionOpen), ("[ [a]]", 3, .sectionMissing),
            ("[a.]", 4, .nameMissing),
            ("[.a]", 2, .sectionMissing), ("[]", 2, .sectionMissing), ("[[]]", 3, .sectionMissing),
            ("[a]]", 4, .lineGoesOn),
            ("[a] b = 1", 5, .lineGoesOn), ("[a]\u{A0}", 4, .lineGoesOn),
        ] as [(String, Int, TOMLError.Reason)])
    func namesAndSections(text: String, column: Int, reason: TOMLError.Reason) {
        expect("# \u{E4}\n" + text + "\nb = 1\n", 2, column, reason)
    }

    @Test(
        arguments: [
            ("", 5, .valueMissing), ("# 1", 5, .valueMissing), ("= 1", 5, .valueMissing), ("yes", 5, .noValue),
            ("True", 5, .noValue), ("truest", 5, .noValue), ("10s", 5, .numberForm), ("a:1", 5, .noValue),
            ("\u{2018}x\u{2019}", 5, .noValue),
            ("_1", 5, .noValue), (".5", 5, .noValue), ("1 2", 7, .lineGoesOn), ("'a' 'b'", 9, .lineGoesOn),
            ("1, 2", 6, .lineGoesOn), ("'a", 5, .textNotClosed), ("\"a\\\"", 5, .textNotClosed),
            ("'it's'", 9, .lineGoesOn),
            ("\"\"\"\"\"\"\"\"\"", 13, .lineGoesOn), (#""\x41""#, 6, .escape), (#""\e""#, 6, .escape),
            (#""\ ""#, 6, .escape),
            (#""""\ x""""#, 8, .escape), (#""C:\dir""#, 8, .escape), (#""\u12""#, 6, .escapeDigits),
            (#""\U0001F60g""#, 6, .escapeDigits), (#""\ud800""#, 6, .noCharacter), (#""\U00110000""#, 6, .noCharacter),
            ("01", 5, .leadingZero), ("-00", 5, .leadingZero), ("03.14", 5, .leadingZero), ("1.", 5, .numberForm),
            ("1.e5", 5, .numberForm), ("1e", 5, .numberForm), ("1e5.0", 5, .numberForm), ("+-1", 5, .numberForm),
            ("0x", 5, .numberForm),
            ("0xG", 5, .numberForm), ("+0x1", 5, .numberForm), ("0b2", 5, .numberForm), ("0X1", 5, .numberForm),
            ("--1", 5, .numberForm),
            ("1__0", 5, .underscore), ("1_", 5, .underscore), ("1_.0", 5, .underscore), ("1._0", 5, .underscore),
            ("0x_1", 5, .underscore),
            ("-_1", 5, .underscore), ("9223372036854775808", 5, .tooLarge), ("-9223372036854775809", 5, .tooLarge),
            ("0xffffffffffffffff", 5, .tooLarge), ("[1 2]", 8, .listOpen), ("[1}", 7, .listOpen),
            ("[1,,2]", 8, .valueMissing),
            ("[,]", 6, .valueMissing), ("{ a = 1, }", 14, .commaBeforeBrace), ("{ a = 1 b = 2 }", 13, .tableOpen),
            ("{ a }", 9, .equalsMissing), ("{ , }", 7, .nameMissing), ("{", 5, .tableNotClosed),
            ("{ a = 1", 5, .tableNotClosed),
            ("{ a = 1,", 5, .tableNotClosed), ("{ a = 1 # }", 13, .tableOpen),
        ] as [(String, Int, TOMLError.Reason)])
    func values(text: String, column: Int, reason: TOMLError.Reason) {
        expect("\nv = " + text + "\nb = 1\n", 2, column, reason)
    }

    @Test(
        arguments: [
            ("1979-5-27", .dateForm), ("1979-05", .dateForm), ("1979-05-27x", .dateForm), ("1979-00-01", .noDay),
            ("1979-13-01", .noDay),
            ("1979-04-31", .noDay), ("1900-02-29", .noDay), ("2023-02-29", .noDay), ("1979-05-27T", .timeMissing),
            ("1979-05-27 7", .timeMissing), ("1979-05-27T07:32", .timeForm), ("1979-05-27T07:32:00.", .timeForm),
            ("1979-05-27T07:32:00x", .timeForm), ("1979-05-27T07:32:00+1:00", .timeForm),
            ("1979-05-27T07:32:00Z1", .timeForm), ("07:32", .timeForm),
            ("07:32:00Z", .timeForm), ("24:00:00", .noTime), ("07:60:00", .noTime), ("07:32:61", .noTime),
            ("1979-05-27T07:32:00+24:00", .noTime), ("1979-05-27T07:32:00-00:60", .noTime),
        ] as [(String, TOMLError.Reason)])
    func dates(text: String, reason: TOMLError.Reason) {
        expect("v = " + text, 1, 5, reason)
    }

    @Test(
        arguments: [
            ("a = 1\na = 2", 1, .taken, 1), ("a = 1\n\"\\u0061\" = 2", 1, .taken, 1), ("[a]\n[a]", 2, .taken, 1),
            ("a.b = 1\na = 2", 1, .taken, 1), ("a = 1\na.b = 2", 1, .taken, 1), ("a = {}\na.b = 1", 1, .taken, 1),
            ("a = {b.c = 1}\na.b.d = 1", 1, .taken, 1), ("a.b = 1\n[a]", 2, .taken, 1), ("[a.b]\n[[a]]", 3, .taken, 1),
            ("[[a]]\n[a]", 2, .taken, 1), ("a = []\n[[a]]", 3, .taken, 1), ("a = 1\n[a]", 2, .taken, 1),
            ("a = {}\n[a]", 2, .taken, 1), ("a = 1\n[a.b]", 2, .closed, 1), ("a = {}\n[a.b]", 2, .closed, 1),
            ("a = [{}]\n[a.b]", 2, .closed, 1), ("a = [{}]\n[[a.b]]", 3, .closed, 1),
        ] as [(String, Int, TOMLError.Reason, Int)])
    func whatIsThereAlready(text: String, column: Int, reason: TOMLError.Reason, line: Int) {
        expect(text, 2, column, reason, after: line)
    }

    @Test func whatIsThereAlreadyOnOtherLines() {
        expect("[a.b.c]\n[a]\nb.d = 1", 3, 1, .taken, after: 1)
        expect("[a.b]\n[a]\n\n[a]", 4, 2, .taken, after: 2)
        expect("[a]\nb = 1\n[a.b]", 3, 4, .taken, after: 2)
        expect("[a]\nb.c = 1\n[a.b]", 3, 4, .taken, after: 2)
        expect("v = { a = 1, a = 2 }", 1, 14, .taken, after: 1)
        expect("v = { a.b = 1, a = 2 }", 1, 16, .taken, after: 1)
        expect("v = { a = {}, a.b = 2 }", 1, 15, .taken, after: 1)
    }

    @Test func whatIsNotClosedIsShownWhereItBegins() {
        expect("a = [\n1,\n2\n", 1, 5, .listNotClosed)
        expect("a = [\n1,\n", 1, 5, .listNotClosed)
        expect("a = 1\nb = \"\"\"\n\n\"\"\nc = 1\n", 2, 5, .textNotClosed)
        expect("b = '''\n''", 1, 5, .textNotClosed)
    }

    @Test func noBytesButText() {
        expect([0x61, 0x0A, 0xC3, 0xA4, 0xC3], "line 2, column 2: \(TOMLError.Reason.notUTF8.rawValue)")
        expect([0xEF, 0xBB, 0xBF, 0x61, 0xFF], "line 1, column 2: \(TOMLError.Reason.notUTF8.rawValue)")
        expect(
            Array("a = 1".utf16).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] },
            "line 1, column 2: \(TOMLError.Reason.controlCharacter.rawValue)")
        for text in ["# \u{1}", "# \u{7F}", "#\r", "#\r\r\n", "a = '\u{0}'", "a = \"\u{1F}\"", "a = '''\r'''", "\r"] {
            let column = text.unicodeScalars.firstIndex { $0.value < 0x20 || $0.value == 0x7F }
                .map { text.unicodeScalars.distance(from: text.startIndex, to: $0) + 1 }
            expect("\n" + text, 2, column ?? 0, .controlCharacter)
        }
    }

    @Test func aConfigurationIsStricter() {
        expect("a = 1\n\"\" = 1", 2, 1, .emptyName)
        expect("[a.'']", 1, 4, .emptyName)
        expect("v = [\n'',\n{ a.\"\" = 1 }]", 3, 5, .emptyName)
        expect("a = 'b'\nb = \"\\u0000\"", 2, 1, .nul)
        expect("v = [\n  1,\n  \"\\U00000000\"]", 3, 3, .nul)
        expect("[[a]]\n\"\\u0000\" = 1", 2, 1, .nul)
        expect("[a]\n\"\u{E9}\" = 1\n\"e\u{301}\" = 1", 3, 1, .twoSpellings)
        expect("[a]\n\(String(repeating: "x", count: 1_025)) = 1", 2, 1, .longName)
        // Both are one sign, an Å; TOML compares their bytes.
        expect("\"\u{212B}\" = 1\n\"\u{C5}\" = 1", 2, 1, .twoSpellings)
    }

    @Test func levelsAreBounded() throws {
        expect("[a.b.c.d.e.f.g.h]", 1, 16, .tooDeep)
        expect("a.b.c.d.e.f.g.h.i = 1", 1, 15, .tooDeep)
        expect("[[a.b.c.d.e.f.g]]", 1, 15, .tooDeep)
        expect("[a.b]\nc = " + String(repeating: "[", count: 6), 2, 10, .tooDeep)
        expect("a = " + String(repeating: "[", count: 100_000), 1, 12, .tooDeep)
        expect("a = " + String(repeating: "{a=", count: 100_000), 1, 26, .tooDeep)
        expect(String(repeating: "a.", count: 100_000) + "a = 1", 1, 15, .tooDeep)
        for text in ["[a.b.c.d.e.f.g]", "a.b.c.d.e.f.g.h = 1", "[[a.b.c.d.e.f]]", "a = [[[[[[[1]]]]]]]"] {
            _ = try TOMLParser.table(of: Array(text.utf8))
        }
        #expect(TOMLError.Reason.tooDeep.rawValue.contains(" \(TOMLParser.mostLevels) "))
    }
}
