import Foundation
import KiteQBroker
import KiteQCore
import Testing

@testable import kiteq

@Suite struct GroupsFileTests {
    private static let hash =
        "pbkdf2-sha256:1000:00112233445566778899aabbccddeeff:" + String(repeating: "ab", count: 32)

    private func groups(_ text: String) throws -> [BindingName: GroupAccess] {
        try GroupsFile.groups(in: ConfigurationFile(path: "groups.toml", text: text))
    }

    @Test func aGroupHasWhatItsTableSays() throws {
        let text = """
            [groups.s-payment]
            secret = "\(Self.hash)"
            publish = ["trade", "feed"]
            subscribe = ["trade"]
            speaks_for = ["s-order", "legacy"]
            certificate = "payment.example"
            max_connections = 20
            max_rate = 500
            max_bytes = "8MiB"
            max_half_messages = 0
            max_backlog = 1000
            [groups."s.dotted 'name'"]
            secrets = ["\(Self.hash)", "plain:hush"]
            publish = "*"
            [groups.bare]
            """
        let secret = try GroupSecret(parsing: Self.hash)
        let trade = TopicRights.only([BindingName("trade")])
        #expect(
            try groups(text) == [
                BindingName("s-payment"): GroupAccess(
                    secrets: [secret], certificate: "payment.example",
                    publish: .only([BindingName("trade"), BindingName("feed")]), subscribe: trade,
                    speaksFor: [BindingName("s-order"), BindingName("legacy")],
                    limits: OwnGroupLimits(
                        connections: 20, rate: 500, bytes: 8 << 20, halfMessages: 0, backlog: 1_000)),
                BindingName("s.dotted 'name'"): GroupAccess(
                    secrets: [secret, .plain("hush")], publish: .all, subscribe: .unsaid),
                BindingName("bare"): GroupAccess(publish: .unsaid, subscribe: .unsaid),
            ])
    }

    /// To Swift the accent makes another character of the dot before it.
    @Test func aNameMayBeginWithAnAccent() throws {
        let name = "\u{301}x"
        #expect(try groups("[groups.\"\(name)\"]\npublish = \"*\"\n").keys.map(\.text) == [name])
    }

    @Test(arguments: [
        ("[groups.a]\nsecrt = \"hush\"", "groups.toml, [groups.a]: there is no secrt; there are secret, secrets, "),
        ("[groups.a]\nsecret = 5", "groups.toml, [groups.a]: secret must be a text"),
        ("[groups.a]\nsecret = \"hush\"", "groups.toml, [groups.a]: a secret must be pbkdf2-sha256:ROUNDS:SALT:HASH, "),
        ("[groups.a]\nsecrets = \"hush\"", "groups.toml, [groups.a]: secrets must be a list"),
        (
            "[groups.a]\nsecret = \"plain:a\"\nsecrets = []",
            "groups.toml, [groups.a]: secret and secrets are both given"
        ),
        ("[groups.a]\npublish = \"trade\"", "groups.toml, [groups.a]: publish must be \"*\" or a list of names"),
        ("[groups.a]\nsubscribe = [\"a/b\"]", "groups.toml, [groups.a]: subscribe must be"),
        ("[groups.a]\nspeaks_for = \"b\"", "groups.toml, [groups.a]: speaks_for must be a list of names"),
        ("[groups.a]\nspeaks_for = [\"*\"]", "groups.toml, [groups.a]: speaks_for must be a list of names"),
        ("[groups.a]\ncertificate = \"\"", "groups.toml, [groups.a]: certificate must be"),
        ("[groups.a]\nmax_rate = \"fast\"", "groups.toml, [groups.a]: max_rate must be a whole number from 0 to "),
        ("[groups.a]\nmax_bytes = -1", "groups.toml, [groups.a]: max_bytes must be a size from 0"),
        ("[groups]\na = \"hush\"", "groups.toml: groups.a must be a table [groups.NAME]"),
        ("[broker]\nbind = \"hush\"", "groups.toml: everything in it is of the form [groups.NAME], not [broker]"),
        ("[groups.a]\nsecret = hush", "groups.toml, line 2, column 10: this is no value: a text stands in quotes"),
        (
            "[groups.a]\n\"hush\" = 1\n'hush' = 2",
            "groups.toml, line 3, column 1: this name is there already, on line 2"
        ),
        ("[groups.a]\nsecret = \"hush", "groups.toml, line 2, column 10: a text is not closed"),
        ("[groups.a]\nsecret = \"\\hush\"", "groups.toml, line 2, column 11: after \\ comes one of "),
        ("[groups.\"\"]\nsecret = \"plain:hush\"", "groups.toml, line 1, column 9: a name is empty"),
        (
            "[groups.a]\nsecret = \"plain:hush\\u0000hush\"",
            "groups.toml, line 2, column 1: no text may hold the character NUL"
        ),
    ])
    func aMistakeIsOneSentenceWithoutASecret(text: String, sentence: String) {
        let error = #expect(throws: CommandError.self) { try groups(text) }
        #expect(error?.description.hasPrefix(sentence) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("hush") == false)
    }
}
