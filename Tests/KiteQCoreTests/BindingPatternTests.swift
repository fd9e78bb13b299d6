import Testing

@testable import KiteQCore

@Suite struct BindingPatternTests {
    @Test(arguments: [
        // Unanchored, anchors.
        ("pay", "pay-succ"), ("succ", "pay-succ"), ("y-s", "pay-succ"), ("^pay-succ$", "pay-succ"), ("", "anything"),
        ("", ""), ("^$", ""), ("^", "a"), ("\\Apay\\z", "pay"), ("(?m)^b$", "a\nb\nc"),
        // Sets.
        ("pay-[a-z]+", "pay-succ"), ("^[^0-9]+$", "abc"), ("[]a]", "]"), ("[^]a]", "b"), ("[a-]", "-"), ("[-a]", "-"),
        ("[\\d-]x", "-x"), ("[[:alpha:]]{3}", "abc"), ("[[:^alpha:]]", "1"), ("[\\]]", "]"), ("[&&]", "&"),
        ("^[\\w.]+$", "a_1."), ("[^\\d]", "a"), ("[\\D]", "a"), ("[a-c&&b]", "c"),
        // Repetitions.
        ("^a*$", ""), ("^a+$", "aaa"), ("^a?b$", "b"), ("^a{3}$", "aaa"), ("^a{2,}$", "aaaa"), ("^a{1,3}$", "aa"),
        ("^a{0}b$", "b"), ("^a{,2}$", "a{,2}"), ("x{", "x{"), ("a*?b", "aab"), ("a+?", "a"), ("a{2}?", "aa"),
        ("^(ab)+$", "ababab"), ("^(a|b)*c$", "ababc"), ("^(?:a|bc){2}$", "abc"), ("(a*)*", "b"), ("^((a?)+)+$", "aaa"),
        ("(a{0,2}){3}", ""), ("^(){1000}$", ""), ("^((a+)+)+$", "aaaa"),
        // Alternatives.
        ("^(pay-succ|pay-fail)$", "pay-fail"), ("a|", ""), ("|b", "x"), ("^a|b$", "cb"), ("^(|x)$", ""),
        // Escapes.
        ("\\.", "."), ("a\\+b", "a+b"), ("\\x41", "A"), ("\\x{1F600}", "😀"), ("\\u00E9", "é"), ("\\101", "A"),
        ("\\0", "\0"), ("\\t", "\t"), ("^\\Qa.b*\\E$", "a.b*"), ("^\\Qab\\E+$", "abbb"), ("\\Q(", "("), ("\\_", "_"),
        ("\\bpay\\b", "a pay-b"), ("\\Bay", "pay"), ("\\d\\D\\w\\W\\s\\S", "1a_- x"),
        // Flags, names.
        ("(?i)PAY", "pay"), ("(?i)[A-C]x", "bX"), ("(?i:P)ay", "pay"), ("a(?i)B|c", "aC"), ("(?i)é", "É"),
        ("(?i)k", "\u{212A}"), ("(?s)a.b", "a\nb"), ("(?s-i)a", "a"), ("(?P<n>a)(?<m>b)", "ab"), ("(?U)a+", "a"),
        ("(?i)\\x41", "a"), ("((?i)a)", "A"),
        // Beyond ASCII: one code point is one '.'.
        ("^支付.功$", "支付成功"), ("^.$", "😀"), ("^..$", "e\u{301}"), ("\\p{L}\\p{Nd}\\pL\\PL", "é1x1"), ("\\p{^L}", "1"),
        ("[\\p{Lu}]", "É"), ("[α-ω]", "λ"),
    ])
    func matches(_ pattern: String, _ subject: String) throws {
        #expect(try BindingPattern(pattern).matches(subject))
    }

    @Test(arguments: [
        ("^pay$", "pay-succ"), ("pay", "PAY"), ("a{3}", "aa"), ("^a{1,3}$", "aaaa"), ("[^a]", "a"), ("a.b", "a\nb"),
        ("^b", "a\nb"), ("a$", "a\n"), ("\\d", "٣"), ("\\w", "é"), ("\\s", "\u{A0}"), ("é", "e\u{301}"), ("^.$", ""),
        ("((?i)a)b", "AB"), ("(?i:a)b", "AB"), ("(?i)[^a]", "A"), ("\\bay", "pay"), ("x", ""), ("^(a|b)*c$", "abd"),
        ("\\.", "a"), ("[a-c]", "d"), ("(?-i)a", "A"), ("\\p{Lu}", "é"), ("^a+$", ""), ("^(ab){2,}$", "ab"),
    ])
    func doesNotMatch(_ pattern: String, _ subject: String) throws {
        #expect(try !BindingPattern(pattern).matches(subject))
    }

    @Test(arguments: [
        "(", ")", "a)", "(a", "[", "[a", "[]", "[b-a]", "*", "+a", "?", "a**", "a*+", "a++", "a{2}{3}", "{2}", "a{3,2}",
        "a{1001}", "a{99999999999999999999}", "(a{1000}){1000}", "((a{100}){100}){100}", "\\", "[\\", "\\1", "(a)\\1",
        "\\k<n>", "(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "(?>a)", "(?x)a", "(?", "(?i", "(?)", "(?-)", "(?P<>a)",
        "(?P<a-b>c)", "(?P=n)", "\\p{Greek}", "\\p{", "\\p", "\\y", "\\é", "[[:nope:]]", "[[:alpha:]", "\\x{110000}",
        "\\xZZ", "\\x{}", "\\xD", "\\u12", "\\8", "\\uD800", "|*", "(*)", "\\C", "\\Z",
    ])
    func doesNotCompile(_ pattern: String) {
        #expect(throws: BindingPattern.SyntaxError.self) { try BindingPattern(pattern) }
    }

    @Test func nestingIsBounded() throws {
        let deep = String(repeating: "(", count: 120) + String(repeating: ")", count: 120)
        #expect(throws: BindingPattern.SyntaxError.self) { try BindingPattern(deep) }
        let shallow = String(repeating: "(", count: 99) + "a" + String(repeating: ")", count: 99)
        #expect(try BindingPattern(shallow).matches("a"))
        #expect(throws: BindingPattern.SyntaxError.self) {
            try BindingPattern(String(repeating: "a", count: 256))
        }
    }

    /// Each of these takes a backtracking matcher longer than a test run.
    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            "(a+)+$", "^(a|a)*$", "(a|aa)+$", "(.*)*b", "^(a?){250}a{250}$", ".*.*.*.*.*.*.*.*c", "((((a+)+)+)+)+$",
            "(((a*)*)*)*b",
        ])
    func hostilePatternsEnd(_ pattern: String) throws {
        let subject = String(repeating: "a", count: 254) + "!"
        let found = try BindingPattern(pattern).matches(subject)
        #expect(!found)
    }

    /// What stands there once and is repeated is one set to look into; what differs counts for itself.
    @Test func theWorkOfAPatternIsKnown() throws {
        #expect(try BindingPattern("abc").work == 4)
        let plain = try BindingPattern("([a-c])").work
        let dear = try BindingPattern("(?i)([a-c])").work
        #expect(dear > plain)
        let many = try BindingPattern("(?i)([a-c]){100}").work
        #expect(many == dear + 99, "one set, a hundred instructions")
        #expect(try BindingPattern("\\p{L}").work > BindingPattern("x").work)
    }

    /// Other cases are found once for each character, and tell the same as one by one.
    @Test func casesOfSetsWithinSets() throws {
        for (text, subject, isMatch) in [
            ("(?i)^[k\\d]+$", "K\u{212A}7k", true), ("(?i)^[^k]$", "\u{212A}", false), ("(?i)^[\\w-]+$", "ſA-b", true),
            ("^[\\w]$", "ſ", false), ("(?i)^(é|ß)+$", "Éß", true), ("(?i)x[a-c]{3}(?-i)[a-c]$", "XAbCa", true),
            ("(?i)x[a-c]{3}(?-i)[a-c]$", "XAbCA", false),
        ] {
            #expect(try BindingPattern(text).matches(subject) == isMatch, "\(text) with \(subject)")
        }
    }
}
