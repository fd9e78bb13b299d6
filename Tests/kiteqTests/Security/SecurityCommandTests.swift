import Foundation
import KiteQAdmin
import KiteQBroker
import KiteQCore
import Testing

@testable import kiteq

/// `secret`, `token`, and what SIGHUP does to `serve`: processes of their own.
@Suite(.serialized, .timeLimit(.minutes(2))) struct SecurityCommandTests {
    private func lines(_ outcome: CommandProcess.Outcome) -> [String] {
        outcome.output.split(separator: "\n").map(String.init)
    }

    @Test func aSecretIsHashedFromStandardInput() throws {
        let outcome = try CommandProcess.run(["secret", "hash"], input: "open sesame\n")
        #expect(outcome.status == 0 && outcome.error == "")
        let text = try #require(lines(outcome).first)
        #expect(text.hasPrefix("pbkdf2-sha256:10000:") && !outcome.output.contains("sesame"))
        #expect(throws: Never.self) { try GroupSecret(parsing: text) }
        #expect(try CommandProcess.run(["secret", "hash"], input: "").status == 1)
        #expect(
            try CommandProcess.run(["secret", "hash", "open sesame"], input: "").status == 64, "never on a command line"
        )
        #expect(try CommandProcess.run(["secret", "hash", "--rounds", "1"], input: "x\n").status == 64)
    }

    @Test func aSecretIsMadeWithItsEntry() throws {
        let outcome = try CommandProcess.run(["secret", "hash", "--generate", "--group", "s.x", "--rounds", "1000"])
        let lines = lines(outcome)
        #expect(lines.count == 5 && lines[0].utf8.count == 64 && lines[1] == "[groups.\"s.x\"]")
        let file = try ConfigurationFile(path: "f", text: lines[1...].joined(separator: "\n"))
        let group = try #require(try GroupsFile.groups(in: file)[BindingName("s.x")])
        #expect(group.secrets.count == 1 && group.publish == .none && group.subscribe == .none)
    }

    @Test func aTokenIsMadeWithItsEntry() throws {
        let outcome = try CommandProcess.run([
            "token", "make", "--name", "night shift", "--role", "operate", "--expires", "2027-12-31",
        ])
        let lines = lines(outcome)
        let file = try ConfigurationFile(path: "f", text: lines.dropFirst().joined(separator: "\n"))
        let token = try #require(try TokensFile.tokens(in: file).first)
        #expect(token.name == "night shift" && token.role == .operate && token.expiresAt == 1_830_297_600)
        #expect(token.hash == AccessToken.hash(of: lines[0]))
        #expect(try CommandProcess.run(["token", "make", "--name", "x", "--role", "root"]).status == 64)
        let all = try CommandProcess.run(["token", "make", "--name", "x", "--role", "read", "--topic", "*"])
        #expect(all.status == 64 && all.error.contains("leave --topic or --group out"))
    }

    @Test func aTokenIsMadeForSomeTopicsAndGroups() throws {
        let outcome = try CommandProcess.run([
            "token", "make", "--name", "team", "--role", "counts", "--topic", "trade", "--topic", "a \"b\"", "--group",
            "s-member",
        ])
        let file = try ConfigurationFile(path: "f", text: lines(outcome).dropFirst().joined(separator: "\n"))
        let token = try #require(try TokensFile.tokens(in: file).first)
        #expect(token.role == .counts && token.topics == ["trade", "a \"b\""] && token.groups == ["s-member"])
    }

    @Test func aHangupReloadsAllOrNothing() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kiteq-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
        func write(_ name: String, _ text: String) throws {
            try SecretText.write(text, to: folder.appendingPathComponent(name).path)
        }
        func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
        func options(_ topics: String, window: Int) -> String {
            """
            [broker]
            topics = \(topics)
            [delivery]
            window = \(window)
            [groups]
            file = "\(path("groups.toml"))"

            """
        }
        try write("registry.yaml", "bindings: []\n")
        try write("groups.toml", "[groups.p-pay]\nsecret = \"plain:first\"\npublish = \"*\"\n")
        try write("secret", "first\n")
        try write("kiteq.toml", options("[\"trade\"]", window: 512))
        let broker = try CommandProcess([
            "serve", "--config", path("kiteq.toml"), "--store", "memory://", "--registry",
            "file://\(path("registry.yaml"))", "--bind", "127.0.0.1:0",
        ])
        #expect(try broker.errorLine(with: "plain text").contains("p-pay"))
        #expect(try broker.errorLine(with: "no publish list or no subscribe list").contains("(p-pay)"))
        let line = try broker.firstLine()
        let address = try #require(line.split(separator: " on ").last?.split(separator: " ").first.map(String.init))
        func publish(_ topic: String, secret: String = "secret") throws -> CommandProcess.Outcome {
            try CommandProcess.run([
                "publish", "--brokers", address, "--topic", topic, "--type", "t", "--group", "p-pay", "--secret-file",
                path(secret),
            ])
        }
        func hangUp(_ sentence: String) throws -> String {
            #expect(kill(broker.process.processIdentifier, SIGHUP) == 0)
            return try broker.errorLine(with: sentence)
        }
        #expect(try publish("trade").status == 0)
        #expect(try publish("feed").status == 1)

        try write("kiteq.toml", options("[\"feed\", \"trade\"]", window: 100))
        try write("groups.toml", "[groups.p-pay]\nsecret = \"plain:second\"\npublish = \"*\"\n")
        try write("second", "second\n")
        let report = try hangUp("the configuration was reloaded: ")
        #expect(
            report.contains("changed broker.topics, groups.file; a restart is needed for delivery.window"), "\(report)")
        while try publish("feed", secret: "second").status != 0 {}
        #expect(try publish("feed").output == "", "the first secret is void")

        // One mistake, and nothing of it is taken.
        try write("kiteq.toml", options("[\"feed\"]", window: 0))
        try write("groups.toml", "[groups.p-pay]\nsecret = \"plain:third\"\n")
        #expect(try hangUp("was not reloaded").contains("delivery.window must be"))
        #expect(try publish("trade", secret: "second").status == 0)
        broker.process.terminate()
        #expect(try broker.wait().status == 0)
    }
}
