import Foundation
import KiteQBroker
import KiteQCore
import Testing

@testable import kiteq

/// Who may come in, as the options of a broker say it together.
@Suite struct ExposureTests {
    private func loaded(_ settings: [String]) throws -> ServerConfiguration {
        let flags = (["broker.topics=a"] + settings).map { setting in
            let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return ConfigurationLoader.Flag("--set", parts[0], parts[1])
        }
        return try ConfigurationLoader(flags: flags).load()
    }

    private func file(_ text: String) throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("kiteq-\(UUID().uuidString).toml").path
        try SecretText.write(text, to: path)
        return path
    }

    private static let open = ["broker.bind=0.0.0.0:13800", "broker.advertised=a:1"]

    @Test(arguments: ["127.0.0.1:1", "127.3.2.1:1", "localhost:1", "[::1]:1"])
    func onLoopbackNobodyIsAsked(bind: String) throws {
        #expect(try loaded(["broker.bind=\(bind)", "admin.bind=\(bind)"]).resolvedBroker().access == AccessRules())
        #expect(try loaded(["admin.bind=\(bind)"]).resolvedAdmin().anonymous == .operate)
    }

    @Test(arguments: ["0.0.0.0:1", "192.168.1.1:1", "[::]:1", "broker.example:1", "127.0.0.1.example:1"])
    func elsewhereItMustBeSaid(address: String) throws {
        let bind = ["broker.bind=\(address)", "broker.advertised=a:1"]
        let error = #expect(throws: CommandError.self) { try loaded(bind).resolvedBroker() }
        #expect(error?.description.hasPrefix("broker.bind = ") == true)
        #expect(error?.description.contains("groups.allow_anyone = true") == true)
        for said in ["groups.allow_anyone=true", "groups.require_secret=true"] {
            #expect(try loaded(bind + [said]).resolvedBroker().access.requiresSecret == said.contains("require"))
        }
        let admin = #expect(throws: CommandError.self) { try loaded(["admin.bind=\(address)"]).resolvedAdmin() }
        #expect(admin?.description.hasPrefix("admin.bind = ") == true)
        for (said, role) in [("no", nil), ("counts", .counts), ("read", .read), ("operate", .operate)]
            as [(String, AdminToken.Role?)]
        {
            let configuration = try loaded(["admin.bind=\(address)", "admin.allow_anonymous=\(said)"])
            #expect(try configuration.resolvedAdmin().anonymous == role)
        }
    }

    /// That anybody on this machine operates the broker says nothing about whom a proxy on it sends.
    @Test func behindAProxyItMustBeSaid() throws {
        let bind = ["admin.bind=127.0.0.1:1", "admin.trusted_proxies=127.0.0.1"]
        let byPlace = try loaded(bind).resolvedAdmin()
        #expect(byPlace.anonymous == .operate && byPlace.anonymousByProxy == nil && !byPlace.opensGroupsByProxy)
        let said = try loaded(bind + ["admin.allow_anonymous=read", "groups.allow_anyone=true"]).resolvedAdmin()
        #expect(said.anonymousByProxy == .read && said.opensGroupsByProxy)
        #expect(try loaded(bind + ["admin.allow_anonymous=no"]).resolvedAdmin().anonymousByProxy == nil)
        for wrong in ["10.0.0.1/8", "proxy.example", "10.0.0.0/8,", "*"] {
            let error = #expect(throws: CommandError.self) { try loaded(["admin.trusted_proxies=\(wrong)"]) }
            #expect(error?.description.contains("addresses and networks") == true)
        }
    }

    /// Others know it by these.
    @Test func itsOwnNamesNeedNotBeSaid() throws {
        let own = try loaded([
            "admin.bind=kiteq.example:1", "broker.advertised=b-1.example:2", "admin.hosts=console.example",
            "admin.allow_anonymous=no",
        ])
        #expect(try own.resolvedAdmin().hosts == ["console.example", "kiteq.example", "b-1.example"])
    }

    @Test func limitsAreOfAllGroupsButThoseThatHaveTheirOwn() throws {
        let path = try file("[groups.s-a]\nsecret = \"plain:one\"\nmax_rate = 0\nmax_bytes = \"1MiB\"\n")
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: path) } }
        let all = [
            "groups.file=\(path)", "groups.max_connections=1", "groups.max_rate=2", "groups.max_bytes=3",
            "groups.max_half_messages=4", "groups.max_backlog=5",
        ]
        let access = try loaded(Self.open + all).resolvedBroker().access
        let limits = GroupLimits(connections: 1, rate: 2, bytes: 3, halfMessages: 4, backlog: 5)
        #expect(access.limits(of: "s-b") == limits)
        #expect(
            access.limits(of: "s-a")
                == GroupLimits(connections: 1, rate: 0, bytes: 1 << 20, halfMessages: 4, backlog: 5))
        #expect(try loaded(Self.open + all.prefix(1)).resolvedBroker().access.limits(of: "s-b") == GroupLimits())
    }

    @Test func aFileOfGroupsLeavesTheOthersOut() throws {
        let path = try file("[groups.s-a]\nsecret = \"plain:one\"\n")
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: path) } }
        let groups = [BindingName("s-a"): GroupAccess(secrets: [.plain("one")], publish: .unsaid, subscribe: .unsaid)]
        #expect(
            try loaded(Self.open + ["groups.file=\(path)"]).resolvedBroker().access
                == AccessRules(groups: groups, requiresSecret: true, defaultRights: .none, isDefaultSaid: false))
        #expect(
            try !loaded(["groups.file=\(path)", "groups.allow_anyone=true"]).resolvedBroker().access.requiresSecret)
        let twice = #expect(throws: CommandError.self) {
            try loaded(["groups.file=\(path)", "groups.secrets=s-a=two"]).resolvedBroker()
        }
        #expect(twice?.description.contains("s-a") == true && twice?.description.contains("two") == false)
        let beside = try loaded(["groups.file=\(path)", "groups.secrets=s-b=two"]).resolvedBroker().access
        #expect(beside.groups.count == 2)
    }

    /// What is not listed is not allowed, unless somebody says so in as many words.
    @Test func withAFileOfGroupsAnAbsentListIsNone() throws {
        let path = try file(
            """
            [groups.p-only]
            secret = "plain:one"
            publish = ["trade"]
            [groups.both]
            secret = "plain:two"
            publish = []
            subscribe = "*"
            """)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: path) } }
        func access(_ settings: String...) throws -> AccessRules {
            try loaded(["groups.file=\(path)"] + settings).resolvedBroker().access
        }
        let upgraded = try access()
        #expect(upgraded.mayPublish("p-only", to: "trade") && !upgraded.mayPublish("p-only", to: "feed"))
        #expect(!upgraded.maySubscribe("p-only", to: "trade"), "it is not asked for")
        #expect(upgraded.maySubscribe("both", to: "trade") && !upgraded.mayPublish("both", to: "trade"))
        #expect(!upgraded.mayPublish("unknown", to: "trade") && !upgraded.maySubscribe("unknown", to: "trade"))
        let warning = try #require(upgraded.warning)
        #expect(
            warning.hasPrefix("groups.file has no publish list or no subscribe list for 1 of its groups")
                && warning.contains("(p-only)"), "\(warning)")
        let asBefore = try access("groups.default_rights=all")
        #expect(asBefore.maySubscribe("p-only", to: "trade") && !asBefore.mayPublish("both", to: "trade"))
        let meant = try access("groups.default_rights=none")
        #expect(!meant.maySubscribe("p-only", to: "trade"))
        #expect(asBefore.warning == nil && meant.warning == nil)
        // Without a file there is nothing that could be listed.
        let secrets = try loaded(["groups.secrets=s-a=one"]).resolvedBroker().access
        #expect(secrets.mayPublish("s-a", to: "trade") && secrets.maySubscribe("s-b", to: "trade"))
        #expect(secrets.warning == nil)
    }

    @Test func whatContradictsItselfIsASentence() throws {
        let path = try file("[groups.s-a]\npublish = []\n")
        let certificate = try file("[groups.s-a]\ncertificate = \"x\"\n")
        for (settings, sentence) in [
            (
                ["groups.require_secret=true", "groups.allow_anyone=true"],
                "groups.require_secret and groups.allow_anyone"
            ),
            (["groups.file=\(path)"], "group s-a has neither a secret nor a certificate"),
            (["groups.file=\(certificate)"], "group s-a must show a certificate, and broker.tls_client_certificates"),
            (["groups.file=/does/not/exist"], "the file /does/not/exist does not exist"),
            (["broker.tls=required"], "broker.tls = required needs broker.tls_certificate and broker.tls_key"),
            (["broker.tls_client_certificates=required"], "broker.tls_client_certificates asks for TLS"),
            (
                ["broker.tls=optional", "broker.tls_certificate=a", "broker.tls_key=b", "broker.tls_client_ca=c"],
                "broker.tls_client_ca is for broker.tls_client_certificates"
            ),
        ] {
            let error = #expect(throws: CommandError.self) { try loaded(settings).resolvedBroker() }
            #expect(error?.description.hasPrefix(sentence) == true, "\(error?.description ?? "")")
        }
        for settings in [["admin.tls_key=a"], ["admin.tls_client_ca=a"]] {
            #expect(throws: CommandError.self) { try loaded(settings).resolvedAdmin() }
        }
        let encrypted = ["admin.tls_certificate=a", "admin.tls_key=b"]
        for (settings, sentence) in [
            (encrypted + ["admin.tls_client_crl=c"], "admin.tls_client_crl needs admin.tls_client_ca"),
            (["admin.metrics=token"], "admin.metrics = \"token\" needs admin.tokens_file"),
        ] {
            let error = #expect(throws: CommandError.self) { try loaded(settings).resolvedAdmin() }
            #expect(error?.description.hasPrefix(sentence) == true, "\(error?.description ?? "")")
        }
        for path in [path, certificate] { try FileManager.default.removeItem(atPath: path) }
    }

    @Test func tokensComeFromAFile() throws {
        let hash = String(repeating: "0f", count: 32)
        let path = try file(
            """
            [tokens.night-shift]
            role = "operate"
            hash = "sha256:\(hash)"
            expires = 2027-12-31
            [tokens."a script"]
            role = "read"
            hash = "sha256:\(hash.uppercased())"
            """)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: path) } }
        let resolved = try loaded(["admin.bind=0.0.0.0:1", "admin.tokens_file=\(path)"]).resolvedAdmin()
        let bytes = [UInt8](repeating: 15, count: 32)
        #expect(
            resolved.tokens == [
                AdminToken(name: "a script", role: .read, hash: bytes),
                // The first second of 2028.
                AdminToken(name: "night-shift", role: .operate, hash: bytes, expiresAt: 1_830_297_600),
            ])
        #expect(resolved.anonymous == nil)
        #expect(try loaded(["admin.bind=127.0.0.1:1", "admin.tokens_file=\(path)"]).resolvedAdmin().anonymous == nil)
    }

    /// What is absent is all; what is empty is none.
    @Test func aTokenMayBeForSomeTopicsAndGroups() throws {
        let hash = "hash = \"sha256:\(String(repeating: "0f", count: 32))\""
        let text = """
            [tokens.team]
            role = "operate"
            topics = ["trade", "feed"]
            groups = []
            \(hash)
            [tokens.wall]
            role = "counts"
            \(hash)
            """
        let file = try ConfigurationFile(path: "tokens.toml", text: text)
        let tokens = try TokensFile.tokens(in: file)
        let (team, wall) = (try #require(tokens.first), try #require(tokens.last))
        #expect(team.topics == ["trade", "feed"] && team.groups == [])
        #expect(wall.role == .counts && wall.topics == nil && wall.groups == nil)
        let scope = NameScope(team)
        #expect(scope.has(topic: "trade") && !scope.has(topic: "other") && !scope.has(group: "s-member"))
        #expect(NameScope(wall).isAll)
    }

    @Test(arguments: [
        ("topics = \"trade\"", "topics must be a list of names"), ("groups = [1]", "groups must be a list of names"),
        ("topics = [\"*\"]", "leave topics out"), ("groups = [\"\"]", "a name in groups has 1 to 255 bytes"),
        ("topics = [\"\(String(repeating: "x", count: 256))\"]", "a name in topics has 1 to 255 bytes"),
        (
            "topics = [\((0...1_000).map { "\"t\($0)\"" }.joined(separator: ","))]",
            "topics has more than 1000 names"
        ),
        ("topic = [\"trade\"]", "there is no topic; there are role, topics, groups, hash, expires"),
    ])
    func aWrongScopeIsASentence(line: String, sentence: String) {
        let text = "[tokens.a]\nrole = \"read\"\n\(line)\nhash = \"sha256:\(String(repeating: "00", count: 32))\"\n"
        let error = #expect(throws: CommandError.self) {
            try TokensFile.tokens(in: ConfigurationFile(path: "tokens.toml", text: text))
        }
        let said = error?.description ?? ""
        #expect(said.hasPrefix("tokens.toml, [tokens.a]: ") && said.contains(sentence), "\(said)")
    }

    @Test(arguments: [
        "[tokens.a]\nrole = \"root\"\nhash = \"sha256:00\"", "[tokens.a]\nrole = \"read\"",
        "[tokens.a]\nrole = \"read\"\nhash = \"0011\"", "[tokens.a]\nrole = \"read\"\nhash = \"sha256:0011\"",
        "[tokens.a]\nrole = \"read\"\nhash = \"sha256:\(String(repeating: "00", count: 32))\"\nexpires = 2027-02-30",
        "[tokens.a]\nrole = \"read\"\nhash = \"sha256:\(String(repeating: "00", count: 32))\"\nexpires = \"soon\"",
        "[tokens.a]\nrole = \"read\"\nhash = \"sha256:\(String(repeating: "00", count: 32))\"\ntoken = \"x\"",
    ])
    func aWrongTokenIsASentence(text: String) {
        let error = #expect(throws: CommandError.self) {
            try TokensFile.tokens(in: ConfigurationFile(path: "tokens.toml", text: text))
        }
        #expect(error?.description.hasPrefix("tokens.toml, ") == true, "\(error?.description ?? "")")
    }
}
