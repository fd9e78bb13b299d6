import Foundation
import KiteQBroker
import Logging
import TestSupport
import Testing

@testable import kiteq

/// Files of secrets that others reach, or that were emptied or cut: a process of its own, at the start and at a reload.
@Suite(.serialized, .timeLimit(.minutes(3))) struct SecretFileTests {
    private static let groups = ["a", "b", "c", "d"].map {
        "[groups.s-\($0)]\nsecret = \"plain:\($0)\"\npublish = \"*\"\n"
    }
    private static let token =
        "[tokens.night]\nrole = \"read\"\nhash = \"sha256:\(String(repeating: "0f", count: 32))\"\n"

    private func configuration(_ settings: [String]) throws -> ServerConfiguration {
        let always = ["broker.topics=a", "store.url=memory://", "registry.url=file:///nowhere.yaml"]
        return try ConfigurationLoader(
            flags: (always + settings).map { setting in
                let parts = setting.split(separator: "=", maxSplits: 1).map(String.init)
                return ConfigurationLoader.Flag("--set", parts[0], parts[1])
            }
        ).load()
    }

    /// Each kind of file, at its start: what is said of it at the four modes.
    @Test func filesOfSecretsThatOthersReachAreRefused() throws {
        let certificates = try TestCertificates()
        defer { #expect(throws: Never.self) { try certificates.remove() } }
        func path(_ name: String) -> String { certificates.folder.appending(path: name).path }
        try SecretText.write(Self.groups.joined(), to: path("groups.toml"))
        try SecretText.write(Self.token, to: path("tokens.toml"))
        try SecretText.write("hush\n", to: path("secret"))
        try SecretText.write("digest:u:p\n", to: path("auth"))
        let tls = ["certificate=\(certificates.file("server"))", "key=\(certificates.key("server"))"]
        let kinds: [(file: String, settings: [String])] = [
            (path("groups.toml"), ["groups.file=\(path("groups.toml"))"]),
            (path("tokens.toml"), ["admin.tokens_file=\(path("tokens.toml"))"]),
            (path("secret"), ["groups.secret_files=s-x=\(path("secret"))"]),
            (path("secret"), ["store.url=mysql://k@h/kite", "store.password_file=\(path("secret"))"]),
            (path("auth"), ["registry.url=zk://h:1", "registry.auth_file=\(path("auth"))"]),
            (certificates.key("server"), tls.map { "admin.tls_\($0)" }),
            (certificates.key("server"), ["broker.tls=required"] + tls.map { "broker.tls_\($0)" }),
        ]
        func problem(_ settings: [String]) throws -> String? {
            do {
                let configuration = try configuration(settings)
                _ = try Reloader.Reading(configuration)
                try StoreFactory.check(configuration.store, configuration.broker.secretFiles)
                _ = try RegistryFactory.configuration(configuration.registry, configuration.broker.secretFiles)
                return nil
            } catch let error as CommandError {
                return error.description
            }
        }
        for (file, settings) in kinds {
            for (mode, refused) in [(0o600, false), (0o640, false), (0o644, true), (0o660, true)] {
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
                let found = try problem(settings)
                #expect((found != nil) == refused, "\(settings): \(found ?? "nothing")")
                let names =
                    found?.contains("the file \(file)") == true && found?.contains("run: chmod 0640 \(file)") == true
                #expect(!refused || names, "\(found ?? "")")
            }
            #expect(try problem(settings + ["broker.secret_files=readable"]) != nil)
            #expect(try problem(settings + ["broker.secret_files=unchecked"]) == nil)
            try FileManager.default.setAttributes([.posixPermissions: 0o444], ofItemAtPath: file)
            #expect(try problem(settings) != nil)
            #expect(try problem(settings + ["broker.secret_files=readable"]) == nil)
        }
    }

    @Test func aBrokerDoesNotStartWithSuchAFile() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("kiteq-\(UUID().uuidString).toml").path
        try SecretText.write(Self.groups.joined(), to: path, mode: 0o644)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: path) } }
        let outcome = try CommandProcess.run([
            "serve", "--topics", "a", "--store", "memory://", "--registry", "file:///nowhere.yaml", "--set",
            "groups.file=\(path)",
        ])
        #expect(outcome.status == 1)
        #expect(
            outcome.error
                == "kiteq: the file \(path) has mode 0644, so everybody on this machine may read it; run: chmod 0640 \(path) "
                + "(or say who may read it with broker.secret_files)\n")
    }

    @Test func aFileThatWasEmptiedOrCutIsNotTaken() throws {
        let broker = try ServedCommand(
            ["groups.toml": Self.groups.joined(), "tokens.toml": Self.token],
            options: ["groups.file=FOLDER/groups.toml", "admin.tokens_file=FOLDER/tokens.toml"])
        defer { #expect(throws: Never.self) { try broker.end() } }
        func reload(_ groups: String, mode: Int = 0o600) throws -> String {
            try SecretText.write(groups, to: broker.path("groups.toml"), mode: mode)
            return try broker.hangUp()
        }
        /// Whether a group is let in, by publishing.
        func isLetIn(_ group: String) throws -> Bool {
            let secret = broker.path("secret-\(group)")
            try SecretText.write(group + "\n", to: secret)
            return try CommandProcess.run([
                "publish", "--brokers", broker.address, "--topic", "trade", "--type", "t", "--group", "s-\(group)",
                "--secret-file", secret, "x",
            ]).status == 0
        }
        let all = Self.groups
        let whole = all.joined()
        for (text, why) in [
            ("", "names no group, and there were 4"), ("# nothing yet\n", "names no group"),
            ("[groups]\n", "names no group"),
            (all[0], "looks cut"), (all[..<3].joined(), "looks cut"),
            (whole + "[groups.s-e]\nsecret = \"plain:e\"", "does not end with a line break"),
            (whole.replacingOccurrences(of: "secret = \"plain:d\"\n", with: ""), "s-d"),
            (all[3] + "# another\n", "lacks 3 of the 4 groups"),
        ] {
            let line = try reload(text)
            #expect(line.contains("was not reloaded and all stays as it was") && line.contains(why), "\(line)")
        }
        #expect(try isLetIn("a") && isLetIn("d"))
        #expect(try reload(whole, mode: 0o644).contains("run: chmod 0640 \(broker.path("groups.toml"))"))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: broker.path("groups.toml"))

        // So for the tokens.
        try SecretText.write("", to: broker.path("tokens.toml"))
        #expect(try broker.hangUp().contains("names no token, and there were 1"))
        try SecretText.write(Self.token, to: broker.path("tokens.toml"))

        // What is meant is taken.
        #expect(try reload(all[1...].joined()).contains("the configuration was reloaded"))
        #expect(try !isLetIn("a") && isLetIn("b"))
        #expect(try reload(all[1..<3].joined() + "# d has left\n").contains("the configuration was reloaded"))
        #expect(try !isLetIn("d") && isLetIn("c"))

        // Who says where the file ends is told of each cut, also in one that was never read whole.
        #expect(try reload(whole + "# end\n").contains("the configuration was reloaded"))
        #expect(try reload("# newer\n" + all[..<3].joined()).contains("does not end with the line '# end' as it did"))
        #expect(try isLetIn("d"))
    }

    /// A file of options that was cut must not open what was closed.
    @Test func optionsThatAreLostDoNotLetEverybodyIn() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("kiteq-\(UUID().uuidString)").path
        try SecretText.write(Self.groups.joined(), to: path + "-groups")
        try SecretText.write(Self.token, to: path + "-tokens")
        defer {
            for end in ["-groups", "-tokens", ".toml"] {
                #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: path + end) }
            }
        }
        let first =
            "[store]\nurl = \"memory://\"\n[registry]\nurl = \"file:///nowhere.yaml\"\n[broker]\ntopics = [\"a\"]\n"
        let rest = "[groups]\nfile = \"\(path)-groups\"\n[admin]\ntokens_file = \"\(path)-tokens\"\n"
        @Sendable func load() -> Result<ServerConfiguration, CommandError> {
            Result { () throws(CommandError) in
                try ConfigurationLoader(environment: [:], configuration: path + ".toml").load()
            }
        }
        try SecretText.write(first + rest, to: path + ".toml")
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let host = try BrokerHost(load().get(), again: load, logger: logger)
        try SecretText.write(first, to: path + ".toml")
        let cut = await #expect(throws: CommandError.self) { try await host.reload() }
        #expect(cut?.description.contains("the configuration file \(path).toml holds the first") == true)
        try SecretText.write("# all are let in\n" + first, to: path + ".toml")
        let report = try await host.reload()
        #expect(report == ReloadReport(applied: [], needsRestart: ["groups.file", "admin.tokens_file"]))
    }

    @Test func whoStartsWithAnEmptyFileIsTold() throws {
        let broker = try ServedCommand(["groups.toml": ""], options: ["groups.file=FOLDER/groups.toml"])
        defer { #expect(throws: Never.self) { try broker.end() } }
        #expect(try broker.process.errorLine(with: "names no group").contains("nobody who needs one is let in"))
        try SecretText.write(Self.groups.joined(), to: broker.path("groups.toml"))
        #expect(try broker.hangUp().contains("changed groups.file"))
    }
}
