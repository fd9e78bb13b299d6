import Testing

@testable import kiteq

/// What may be said in several places, and what it is together.
@Suite struct TOMLTablesTests {
    private func read(_ text: String) throws -> [String: ConfigurationValue] {
        try TOMLParser.table(of: Array(text.utf8)).configuration()
    }

    private func flag(_ names: String...) -> ConfigurationValue {
        names.reversed().reduce(.flag(true)) { .table([$1: $0]) }
    }

    @Test(arguments: ["", "\n", "\r\n", " \t", "# nothing", "#\n\n # \u{E4}\r\n", "\u{FEFF}", "\u{FEFF}\n"])
    func nothingIsADocument(text: String) throws {
        #expect(try read(text) == [:])
    }

    @Test(arguments: [
        "a.b.c = true", " a . b\t.c=true#", "\"a\".'b'.\"\\u0063\" = true", "[a]\nb.c = true", "[a.b]\nc = true",
        " [ a . \"b\" ] # c\n\tc = true\r\n", "[a.b]\nc = true\n[a]", "[a]\n[a.b]\nc = true",
        "a = { b = { c = true } }",
        "[a]\nb = {c=true}", "a.b = { c = true }", "[a]\n[a.'b']\n'c' = true", "\u{FEFF}[a]\nb.c = true",
    ])
    func oneTableInManyWays(text: String) throws {
        #expect(try read(text) == ["a": flag("b", "c")])
    }

    @Test func sectionsMayBeAddedToWhatDotsHaveMade() throws {
        let text = """
            apple.color = "red"
            apple.taste.sweet = true
            [apple.texture]
            smooth = true
            [apple.taste.more]
            """
        #expect(
            try read(text) == [
                "apple": .table([
                    "color": .string("red"), "texture": flag("smooth"),
                    "taste": .table(["sweet": .flag(true), "more": .table([:])]),
                ])
            ])
    }

    @Test func oneOfManyHasItsOwn() throws {
        let text = """
            [[a]]
            n = 1
            [a.b]
            c = true
            [[a.d]]
            [[a.d]]
            [[a]]
            [a.b]
            [[x.y]]
            [x]
            z = 1
            """
        #expect(
            try read(text) == [
                "a": .list([
                    .table(["n": .number(1), "b": flag("c"), "d": .list([.table([:]), .table([:])])]),
                    .table(["b": .table([:])]),
                ]),
                "x": .table(["y": .list([.table([:])]), "z": .number(1)]),
            ])
    }

    @Test func namesAreAnything() throws {
        let text = """
            true = 1
            1979-05-27 = 2
            3.14 = 3
            -_- = 4
            "a.b" = 5
            'c"d' = 6
            inf = 7
            "\u{E4} # ]" = 8
            A = 9
            a = 10
            """
        #expect(
            try read(text) == [
                "true": .number(1), "1979-05-27": .number(2), "3": .table(["14": .number(3)]), "-_-": .number(4),
                "a.b": .number(5), "c\"d": .number(6), "inf": .number(7), "\u{E4} # ]": .number(8), "A": .number(9),
                "a": .number(10),
            ])
    }

    /// To a document these are names as others are.
    @Test func aDocumentIsNotAsStrictAsAConfiguration() throws {
        let text =
            "\"\" = 1\n\"\\u0000\" = 2\n\"\u{E9}\" = 3\n\"e\u{301}\" = 4\n\"\(String(repeating: "x", count: 2_000))\" = 5\n"
        #expect(try TOMLParser.table(of: Array(text.utf8)).entries.count == 5)
    }
}
