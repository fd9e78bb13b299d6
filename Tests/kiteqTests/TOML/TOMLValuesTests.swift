import Testing

@testable import kiteq

/// What documents say, in every way that TOML has to say it.
@Suite struct TOMLValuesTests {
    private func value(_ text: String) throws -> ConfigurationValue? {
        try TOMLParser.table(of: Array("v = \(text)\n".utf8)).configuration()["v"]
    }

    @Test(arguments: [
        ("\"\"", ""), ("''", ""), ("\"\"\"\"\"\"", ""), ("''''''", ""),
        (#""a\b\t\n\f\r\"\\z""#, "a\u{8}\t\n\u{C}\r\"\\z"),
        (#""\u00e4\U0001F600\u0041""#, "\u{E4}\u{1F600}A"),
        (#"'C:\n "x"'"#, #"C:\n "x""#),
        ("\"tab\tand # no comment\"", "tab\tand # no comment"),
        ("\"\"\"\nfirst\nsecond\n\"\"\"", "first\nsecond\n"),
        ("\"\"\"\r\nfirst\r\nsecond\"\"\"", "first\nsecond"),
        ("\"\"\"a \\  \t\n\n   b \\\r\n c\"\"\"", "a b c"),
        (#""""He said "no", ""twice"" \""".""""#, #"He said "no", ""twice"" """."#),
        ("\"\"\"\"\"two\"\"\"\"\"", "\"\"two\"\""),
        ("'''''two'''''", "''two''"),
        ("'''\n\\ and '' and\n'''", "\\ and '' and\n"),
        ("\"\u{7A97}\u{A0}\u{301}\"", "\u{7A97}\u{A0}\u{301}"),
    ])
    func texts(text: String, expected: String) throws {
        guard case .string(let found)? = try value(text) else {
            Issue.record("\(text) is no text")
            return
        }
        #expect(found.utf8.elementsEqual(expected.utf8))
    }

    @Test(arguments: [
        ("0", 0), ("+0", 0), ("-0", 0), ("42", 42), ("+99", 99), ("-17", -17), ("1_000", 1_000), ("1_2_3", 123),
        ("9223372036854775807", .max), ("-9223372036854775808", .min), ("0xDEAD_beef", 0xDEAD_BEEF), ("0x00", 0),
        ("0o755", 0o755), ("0b1101_0110", 0b1101_0110), ("0x7fffffffffffffff", .max),
    ])
    func wholeNumbers(text: String, expected: Int) throws {
        #expect(try value(text) == .number(expected))
    }

    @Test(arguments: [
        ("1.0", 1), ("+3.1415", 3.1415), ("-0.01", -0.01), ("5e+22", 5e22), ("1e06", 1e6), ("-2E-2", -0.02),
        ("6.626e-34", 6.626e-34), ("224_617.445_991_228", 224_617.445991228), ("0e0", 0), ("inf", .infinity),
        ("+inf", .infinity), ("-inf", -.infinity),
    ])
    func decimals(text: String, expected: Double) throws {
        #expect(try value(text) == .decimal(expected))
    }

    @Test(arguments: ["nan", "+nan", "-nan"])
    func whatIsNoNumber(text: String) throws {
        guard case .decimal(let number)? = try value(text) else {
            Issue.record("\(text) is no decimal")
            return
        }
        #expect(number.isNaN)
    }

    @Test(arguments: [
        "1979-05-27", "0000-01-01", "2000-02-29", "2024-02-29", "9999-12-31", "07:32:00", "00:32:00.999999",
        "23:59:60", "1979-05-27T07:32:00", "1979-05-27t00:32:00.5", "1979-05-27 07:32:00",
        "1979-05-27T07:32:00Z", "1979-05-27 07:32:00z", "1979-05-27T00:32:00.999999-07:00",
        "1979-05-27 00:32:00+23:59",
    ])
    func datesAreAsTheyAreWritten(text: String) throws {
        #expect(try value(text) == .other(text))
        #expect(try value("[\(text), \(text)] # \(text)") == .list([.other(text), .other(text)]))
    }

    @Test(
        arguments: [
            ("true", .flag(true)), ("false", .flag(false)),
            ("[]", .list([])), ("[ 1,2 , 3, ]", .list([.number(1), .number(2), .number(3)])),
            ("[ # one\n\n 1 # comma\n ,\r\n\t'2', # end\n # ]\n ]", .list([.number(1), .string("2")])),
            (
                "[[1, 2.5], [true], [{ a = [] }]]",
                .list([
                    .list([.number(1), .decimal(2.5)]), .list([.flag(true)]), .list([.table(["a": .list([])])]),
                ])
            ),
            ("{}", .table([:])), ("{ \t }", .table([:])),
            (
                "{a=1,\"b c\" = '}', d.e = 2, d.f = {} }",
                .table(["a": .number(1), "b c": .string("}"), "d": .table(["e": .number(2), "f": .table([:])])])
            ),
            ("{ a = [\n1\n] }", .table(["a": .list([.number(1)])])),
        ] as [(String, ConfigurationValue)])
    func listsTablesAndTruth(text: String, expected: ConfigurationValue) throws {
        #expect(try value(text) == expected)
    }
}
