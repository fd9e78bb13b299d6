import Testing

@testable import KiteQCore

@Suite struct VisibleTextTests {
    @Test(arguments: [
        ("plain", "plain"), ("a\u{1B}[2Jb", #"a\x1b[2Jb"#), ("a\nb\r\tc", #"a\nb\r\tc"#), ("\u{9B}31m", #"\x9b31m"#),
        ("\u{0}\u{7F}\u{85}", #"\x0\x7f\x85"#), ("a\u{202E}b", #"a\u{202e}b"#), ("\u{2066}", #"\u{2066}"#),
        ("\u{2028}\u{2029}", #"\u{2028}\u{2029}"#), ("\u{200B}\u{FEFF}\u{AD}", #"\u{200b}\u{feff}\u{ad}"#),
        ("\u{61C}\u{200F}", #"\u{61c}\u{200f}"#), ("\u{E0041}", #"\u{e0041}"#), ("\u{E0000}", #"\u{e0000}"#),
        ("\r\n", #"\r\n"#), ("支付 é e\u{301} 👧 ❤️ \"\\", "支付 é e\u{301} 👧 ❤️ \"\\"), ("", ""),
    ])
    func whatCannotBeSeenIsSpeltOut(text: String, shown: String) {
        #expect(VisibleText.escaped(text) == shown)
        #expect(VisibleText.escaped(shown) == shown)
        #expect(!VisibleText.escaped(text).unicodeScalars.contains(where: VisibleText.isHidden))
    }

    @Test(arguments: [("\u{1B}", #"\u001b"#), ("\u{202E}", #"\u202e"#), ("\u{E0041}", #"\udb40\udc41"#)])
    func inJSONItIsAnEscapeOfJSON(text: String, shown: String) {
        #expect(VisibleText.escaped(text, VisibleText.jsonEscape) == shown)
    }

    @Test func whatASentenceRepeatsIsShort() {
        #expect(VisibleText.shortened("a\nb") == "a\\nb")
        #expect(VisibleText.shortened(String(repeating: "x", count: 300)).count == 300)
        #expect(VisibleText.shortened(String(repeating: "x", count: 301)) == String(repeating: "x", count: 300) + "…")
        // One character to Swift, of a million scalars.
        #expect(VisibleText.shortened("e" + String(repeating: "\u{301}", count: 1_000_000)).utf8.count < 1_000)
    }
}
