import Foundation
import KiteQBroker
import KiteQCore
import Testing

@testable import kiteq

@Suite struct ConfigurationFileTests {
    /// The file that users start from.
    private static var shipped: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("conf/kiteq.toml").path
    }

    @Test func theShippedFileNamesEveryOptionAndEqualsTheDefaults() throws {
        let file = try ConfigurationFile(path: Self.shipped)
        #expect(Set(file.values.keys) == Set(ServerConfiguration.options.map(\.key)))
        let loaded = try ConfigurationLoader(file: file).load()
        let defaults = ServerConfiguration()
        for option in ServerConfiguration.options {
            #expect(option.value(loaded) == option.value(defaults), "\(option.key)")
            // What the file says, not only what came of it: "" would otherwise pass for anything.
            if file.values[option.key] == .string("") { #expect(option.value(defaults) == .string("")) }
        }
    }

    @Test func theShippedFileIsOfTheSameOrderAsTheOptions() throws {
        let text = try String(contentsOfFile: Self.shipped, encoding: .utf8)
        var section = ""
        var keys: [String] = []
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            if line.hasPrefix("[") {
                section = String(line.dropFirst().prefix { $0 != "]" })
            } else if let equals = line.firstIndex(of: "=") {
                keys.append("\(section).\(line[..<equals].filter { $0 != " " })")
            }
        }
        #expect(keys == ServerConfiguration.options.map(\.key))
    }

    @Test(arguments: [
        ("[broker]\nmax_connection = 1", "kiteq.toml: there is no option broker.max_connection; [broker] has bind, "),
        (
            "[brokr]\nbind = \"a:1\"",
            "kiteq.toml: there is no section [brokr]; there are [broker], [topics], [publish], "
        ),
        ("[brokr]", "kiteq.toml: there is no section [brokr]; there are [broker], [topics], [publish], "),
        (
            "bind = \"a:1\"",
            "kiteq.toml: bind stands outside of a section; every option belongs to one, such as [broker]"
        ),
        (
            "[broker]\nmax_connections = \"many\"",
            "kiteq.toml: broker.max_connections must be a whole number from 1 to 1000000, not \"many\""
        ),
        (
            "[broker]\nmax_connections = 0",
            "kiteq.toml: broker.max_connections must be a whole number from 1 to 1000000, not 0"
        ),
        (
            "[broker]\nmax_connections = 1.5",
            "kiteq.toml: broker.max_connections must be a whole number from 1 to 1000000, not 1.5"
        ),
        ("[broker]\nbind = \"nowhere\"", "kiteq.toml: broker.bind must be HOST:PORT, not \"nowhere\""),
        ("[broker]\nbind = 1979-05-27", "kiteq.toml: broker.bind must be HOST:PORT, not 1979-05-27"),
        (
            "[broker]\ntopics = [\"a\", 1]",
            "kiteq.toml: broker.topics must be a list of names of 1 to 255 bytes without '/', not [\"a\", 1]"
        ),
        (
            "[broker]\nidle_timeout = \"5s\"",
            "kiteq.toml: broker.idle_timeout must be a duration from 2m to 1d, such as \"5s\" or \"250ms\", not \"5s\""
        ),
        (
            "[store]\nread_timeout = \"2s\"",
            "kiteq.toml: store.read_timeout must be a duration from 3s to 1h, such as \"5s\" or \"250ms\", not \"2s\""
        ),
        (
            "[broker]\nidle_timeout = 300",
            "kiteq.toml: broker.idle_timeout must be a duration from 2m to 1d, such as \"5s\" or \"250ms\", not 300"
        ),
        (
            "[delivery]\nmemory = \"1KiB\"",
            "kiteq.toml: delivery.memory must be a size from 4MiB to 1024GiB, such as \"8MiB\", not \"1KiB\""
        ),
        (
            "[delivery]\nretry_steps = [\"20=1s\", \"10=2s\"]",
            "kiteq.toml: delivery.retry_steps must be a list of ATTEMPTS=DURATION with rising attempts"
        ),
        ("[groups]\nrequire_secret = \"yes\"", "kiteq.toml: groups.require_secret must be true or false, not \"yes\""),
        (
            "[log]\nlevel = \"loud\"",
            "kiteq.toml: log.level must be one of trace, debug, info, notice, warning, error, critical, not \"loud\""
        ),
        ("[broker]\nbind = ", "kiteq.toml, line 2, column 8: a value is missing"),
        (
            "[broker]\nbind = \"a:1\"\nbind = \"b:2\"",
            "kiteq.toml, line 3, column 1: this name is there already, on line 2"
        ),
        ("[broker]\nbind = localhost:1", "kiteq.toml, line 2, column 8: this is no value: a text stands in quotes"),
    ])
    func aMistakeIsOneSentence(text: String, sentence: String) {
        let error = #expect(throws: CommandError.self) {
            try ConfigurationLoader(file: ConfigurationFile(path: "kiteq.toml", text: text + "\n")).load()
        }
        #expect(error?.description.hasPrefix(sentence) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("\n") == false)
        #expect(error?.status == .failure)
    }

    /// What a text that ends at NUL, or a dictionary, would lose of a file without a word.
    @Test(arguments: [
        (
            "[groups.secrets]\ng = \"half\\u0000 of it\"",
            "k, line 2, column 1: no text may hold the character NUL (\\u0000)"
        ),
        (
            "[groups.secrets]\n\"g\\U00000000h\" = \"s\"",
            "k, line 2, column 1: no text may hold the character NUL (\\u0000)"
        ),
        (
            "[groups.secrets]\n\"\u{E9}\" = \"a\"\n\"e\u{301}\" = \"b\"",
            "k, line 3, column 1: this name is there already, in another spelling of Unicode"
        ),
        ("[\"groups.secrets\".a]\nb = \"c\"", "k: the name of a section has no dot, as groups.secrets has"),
        ("[groups.secrets]\n\"\" = \"s\"", "k, line 2, column 1: a name is empty"),
        ("[a.b.c.d.e.f.g.h.i.j]", "k, line 1, column 16: tables and lists have at most 8 levels"),
        ("[a]\nb = [[[[[[[[[1]]]]]]]]]", "k, line 2, column 11: tables and lists have at most 8 levels"),
    ])
    func nothingIsLostSilently(text: String, sentence: String) {
        let error = #expect(throws: CommandError.self) { try ConfigurationFile(path: "k", text: text + "\n") }
        #expect(error?.description == sentence)
    }

    /// The library that read files before ended the process at most of them, as at those of the next two tests.
    @Test(
        arguments: ["[\rbroker]", "[broker]\u{7F}", "[broker]\u{B}\n", "[broker]\ntopics = [\"a\u{1}\"]", "\u{0}"].map {
            ($0, "a control character")
        }
            + ["[", "[\r\nbroker]", "[\nbroker]", "[=broker]", " [ \u{E4}]", "[[", "[[[a]]]", "[# broker]"].map {
                ($0, "after [ comes")
            })
    func aSectionWithoutANameIsRefused(text: String, why: String) throws {
        let error = #expect(throws: CommandError.self) { try ConfigurationFile(path: "k", text: "#\n" + text + "\n") }
        #expect(error?.description.hasPrefix("k, line ") == true && error?.description.contains(why) == true)
    }

    @Test(arguments: ["a = ]", "a = ,", "a = }", "a = # x", "a = [}", "a = [1, }", "a = {b = }", "a = {b = ,}"])
    func aMissingValueIsRefused(text: String) {
        let error = #expect(throws: CommandError.self) {
            try ConfigurationFile(path: "k", text: "[broker]\n" + text + "\n[topics]\n")
        }
        #expect(error?.description.hasPrefix("k, line 2, column ") == true)
        #expect(error?.description.hasSuffix(": a value is missing") == true)
    }

    @Test(arguments: [
        "a = 1979-05-27 0", "a = 1979-05-27 1,", "a = [1979-05-27 7]", "a = 1979-05-27T:1", "a = 1979-05-27t",
        "a = [1979-05-27T_1]", "a = [1, 1979-05-27Tx]",
        "a = {b = 1979-05-27T }",
    ])
    func aDateWithoutTheTimeThatItAnnouncesIsRefused(text: String) {
        let error = #expect(throws: CommandError.self) {
            try ConfigurationFile(path: "k", text: "[broker]\n" + text + "\n[topics]\n")
        }
        #expect(error?.description.hasSuffix(": a date goes on, and not with a time") == true)
    }

    @Test(arguments: ["a = 3344-4!-43 3 !", "a = 33_44-05-27 1 "])
    func whatOnlyHasTheHyphensOfADateIsRefused(text: String) {
        let error = #expect(throws: CommandError.self) {
            try ConfigurationFile(path: "k", text: "[broker]\n" + text + "\n[topics]\n")
        }
        #expect(error?.description.hasPrefix("k, line 2, column 5: ") == true)
    }

    @Test func whatOnlyLooksLikeADateWithoutATimeIsTaken() throws {
        let text = """
            [1979-05-27Tea]
            1979-05-27Tx = "1979-05-27T:" # = 1979-05-27T:
            a = 1979-05-27T07:32:00Z
            b = 1979-05-27
            c = [1979-05-27T07:32:00, 1979-05-27t07:32:00]
            d = 1979-05-27 07:32:00
            e = [ 1979-05-27 , 1979-05-27 ] # 1979-05-27 0
            """
        let keys = try ConfigurationFile(path: "k", text: text + "\n").values.keys.sorted()
        #expect(keys == ["1979-05-27Tx", "a", "b", "c", "d", "e"].map { "1979-05-27Tea.\($0)" })
    }

    /// What is behind a byte order mark is at the line's beginning.
    @Test(arguments: ["[=broker]", "[[\t[\"a\"]", " ["])
    func aByteOrderMarkHidesNothing(text: String) throws {
        let error = #expect(throws: CommandError.self) {
            try ConfigurationFile(path: "k", text: "\u{FEFF}" + text + "\n")
        }
        #expect(error?.description.contains("after [ comes") == true)
    }

    @Test func whatOnlyLooksLikeAMissingValueIsTaken() throws {
        let text = #"""
            [broker] # a = ]
            a = "= ] \" = ]"
            b = '= ]\'
            c = ["=", ",}", '[}']
            d = """
            x = ]
            ""\""" = } """""
            e = '''
            = ]'''
            f = { g = [ ], "h=" = "}" }
            i = [
            # = ]
            ]
            j = ""
            "k =" = ''
            """#
        let keys = try ConfigurationFile(path: "k", text: text).values.keys.sorted()
        #expect(keys == ["a", "b", "c", "d", "e", "f", "i", "j", "k ="].map { "broker.\($0)" })
    }

    @Test func linesMayEndAsElsewhere() throws {
        let file = try ConfigurationFile(path: "k", text: " [ broker ]\r\n\ttopics = [\r\n\"a\"]\r\n[\"groups\"]\r\n")
        #expect(file.values["broker.topics"] == .list([.string("a")]))
        #expect(throws: CommandError.self) { try ConfigurationFile(path: "k", text: "[]\n") }
    }

    /// However long, and whatever, it is that a sentence repeats.
    @Test(arguments: [
        "[broker]\nLONG = 1", "[LONG]\na = 1", "LONG = 1", "[broker]\ntopics = [LONG, 1]",
        "[broker]\nbind = \"x\" LONG",
    ])
    func aSentenceIsOneShortLine(text: String) {
        let name = "\"" + String(repeating: "\\u001b[2J\\u202e", count: 1_000) + "\""
        let error = #expect(throws: CommandError.self) {
            try ConfigurationLoader(
                file: ConfigurationFile(path: "k", text: text.replacing("LONG", with: name) + "\n")
            ).load()
        }
        #expect(error.map { $0.description.utf8.count < 5_000 && !VisibleText.needsEscapes($0.description) } == true)
    }

    @Test func aSecretIsNotRepeated() {
        let error = #expect(throws: CommandError.self) {
            try ConfigurationLoader(
                file: ConfigurationFile(path: "k", text: "[groups.secrets]\ng = [\"hush\"]\n")
            ).load()
        }
        #expect(error?.description.contains("hush") == false)
        let other = #expect(throws: CommandError.self) {
            try ConfigurationLoader(environment: ["KITEQ_GROUPS_SECRETS": "hush"]).load()
        }
        #expect(other?.description.contains("hush") == false)
        #expect(other?.description.hasPrefix("KITEQ_GROUPS_SECRETS must be ") == true)
    }

    @Test func aMissingFileSaysSo() {
        #expect(throws: CommandError("the configuration file /does/not/exist.toml does not exist")) {
            try ConfigurationFile(path: "/does/not/exist.toml")
        }
    }

    @Test func aWrongFlagIsUsageAndAWrongVariableIsNot() {
        let flag = #expect(throws: CommandError.self) {
            try ConfigurationLoader(flags: [.init("--bind", "broker.bind", "x")]).load()
        }
        #expect(flag?.description == "--bind must be HOST:PORT, not 'x'")
        #expect(flag?.status == .usage)
        let variable = #expect(throws: CommandError.self) {
            try ConfigurationLoader(environment: ["KITEQ_BIND": "x"]).load()
        }
        #expect(variable?.description == "KITEQ_BIND must be HOST:PORT, not 'x'")
        #expect(variable?.status == .failure)
    }
}
