import KiteQAdmin
import KiteQBroker
import Testing

@testable import kiteq

/// Tokens for some topics and groups alone, and for counts, against a broker in a process of its own, over its port.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ScopeCommandTests {
    /// A token is its name.
    private static func entry(_ name: String, _ lines: String...) -> String {
        let hash = TokensFile.hashName + Hexadecimal.text(AccessToken.hash(of: name))
        return (["[tokens.\(name)]"] + lines + ["hash = \"\(hash)\"", ""]).joined(separator: "\n")
    }

    private static let files = [
        "tokens.toml": entry("all", #"role = "operate""#) + entry("wall", #"role = "counts""#)
            + entry("team", #"role = "operate""#, #"topics = ["trade"]"#, #"groups = ["s-member"]"#),
        "registry.yaml": """
        bindings:
          - {groupIds: ["s-member"], topic: "trade", messageType: "paid"}
          - {groupIds: ["s-vault"], topic: "trade", messageType: "gold"}
        """ + "\n",
    ]

    @Test func overHTTPATokenForSomeSeesNothingElse() throws {
        let broker = try ServedCommand(
            Self.files, options: ["admin.tokens_file=FOLDER/tokens.toml", "admin.metrics=token"])
        defer { #expect(throws: Never.self) { try broker.end() } }
        func ask(_ token: String, _ arguments: String...) throws -> CommandProcess.Outcome {
            try CommandProcess.run(arguments + ["--admin", broker.admin], environment: ["KITEQ_TOKEN": token])
        }
        for (type, group) in [("paid", "p-pay"), ("gold", "p-vault")] {
            let published = try CommandProcess.run([
                "publish", "--brokers", broker.address, "--topic", "trade", "--type", type, "--group", group,
                "the body of \(group)",
            ])
            #expect(published.status == 0, "\(published.error)")
        }
        #expect(try ask("all", "groups").output.contains("s-vault"))
        let groups = try ask("team", "groups")
        #expect(groups.status == 0 && groups.output.contains("s-member") && !groups.output.contains("vault"))
        #expect(try ask("team", "topics").output.contains("trade"))
        let pause = try ask("team", "groups", "pause", "s-vault", "--reason", "x")
        #expect(pause.status == 1 && pause.error.contains("team is not for group s-vault"), "\(pause.error)")
        #expect(try ask("team", "groups", "pause", "s-member", "--reason", "x").status == 0)
        #expect(try ask("team", "reload").error.contains("about the whole broker"))
        let top = try ask("team", "top", "--once")
        #expect(top.status == 0 && top.output.contains("the token is for some topics or groups alone"), "\(top.error)")
        #expect(try ask("all", "audit").output.contains("refused: 403 team is not for group s-vault"))
        #expect(try !ask("team", "audit").output.contains("vault"))

        let found = try ask("all", "messages", "search", "--group", "s-vault", "--json").objects()
        let id = try #require(found.first?["id"] as? String)
        #expect(try ask("team", "messages", "show", id).error.contains("no message \(id) is known"))
        #expect(try ask("all", "messages", "show", id).output.contains("the body of p-vault"))
        let counted = try ask("wall", "messages", "show", id)
        #expect(counted.output.contains("s-vault") && !counted.output.contains("the body"), "\(counted.error)")

        for (token, status) in [(nil, 401), ("wrong", 401), ("team", 403), ("wall", 200)] as [(String?, Int)] {
            let page = try broker.get("/metrics", token: token)
            #expect(page.status == status && page.text.contains("kiteq_topic") == (status == 200), "\(page.text)")
        }
        #expect(try broker.get("/readyz").status == 200)
    }
}
