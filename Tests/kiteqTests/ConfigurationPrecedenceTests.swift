import Testing

@testable import kiteq

/// A flag wins over its environment variable, that over the file, that over the default: for every option.
@Suite struct ConfigurationPrecedenceTests {
    /// Three values, different from one another and from the default, as text and as they stand in the file.
    private struct Sample {
        var texts: [String]
        var literals: [String]
    }

    private static func sample(_ option: ConfigurationOption) -> Sample {
        func quoted(_ texts: [String]) -> Sample { Sample(texts: texts, literals: texts.map { "\"\($0)\"" }) }
        switch option.key {
        case "broker.bind", "broker.advertised", "admin.bind": return quoted(["a:1", "b:2", "c:3"])
        case "broker.topics", "admin.hosts", "broker.tls_ciphers", "admin.tls_ciphers":
            return Sample(texts: ["a", "a,b", "a, c"], literals: ["[\"a\"]", "[\"a\", \"b\"]", "[\"a\", \"c\"]"])
        case "admin.trusted_proxies":
            return Sample(
                texts: ["127.0.0.1", "10.0.0.0/8, ::1", "2001:db8::/32"],
                literals: ["[\"127.0.0.1\"]", "[\"10.0.0.0/8\", \"::1\"]", "[\"2001:db8::/32\"]"])
        case "groups.secrets", "groups.secret_files":
            return Sample(
                texts: ["g=1", "g=2,h=3", "g=4"],
                literals: ["{ g = \"1\" }", "{ g = \"2\", h = \"3\" }", "{ g = \"4\" }"])
        case "groups.require_secret", "groups.allow_anyone", "broker.take_over":
            return Sample(texts: ["true", "false", "true"], literals: ["true", "false", "true"])
        case "delivery.retry_steps":
            return Sample(
                texts: ["11=1s", "12=2s,13=3s", "14=4s"],
                literals: ["[\"11=1s\"]", "[\"12=2s\", \"13=3s\"]", "[\"14=4s\"]"])
        case "store.shards":
            return Sample(
                texts: ["mysql://a/x", "mysql://a,b/x mysql://c/y", "mysql://d/z"],
                literals: ["[\"mysql://a/x\"]", "[\"mysql://a,b/x\", \"mysql://c/y\"]", "[\"mysql://d/z\"]"])
        case "broker.tls": return quoted(["optional", "off", "required"])
        case "broker.tls_client_certificates": return quoted(["optional", "none", "required"])
        case "broker.tls_min_version", "admin.tls_min_version": return quoted(["1.3", "1.2", "1.3"])
        case "broker.max_packet": return quoted(["1MiB", "64KiB", "32KiB"])
        case "groups.max_bytes": return quoted(["5MiB", "6MiB", "7MiB"])
        case "groups.default_rights": return quoted(["none", "all", "none"])
        case "admin.allow_anonymous": return quoted(["read", "no", "operate"])
        case "admin.metrics": return quoted(["token", "open", "token"])
        case "admin.ready_shards": return quoted(["all", "any", "all"])
        case "broker.secret_files": return quoted(["readable", "unchecked", "private"])
        case "store.tls": return quoted(["required", "off", "verified"])
        case "store.durability": return quoted(["refuse", "warn", "refuse"])
        case "registry.acl": return quoted(["world", "creator", "private"])
        case "topics.max_body":
            return Sample(
                texts: ["a=1KiB", "b=2KiB,c=3", "d=1MiB"],
                literals: ["{ a = \"1KiB\" }", "{ b = \"2KiB\", c = 3 }", "{ d = \"1MiB\" }"])
        case "log.level": return quoted(["trace", "error", "debug"])
        case "log.format": return quoted(["json", "text", "json"])
        case "broker.idle_timeout", "transactions.retention", "delivery.dead_letter_retention":
            return quoted(["10m", "11m", "12m"])
        default: break
        }
        switch option.value(ServerConfiguration()) {
        case .number: return Sample(texts: ["7", "8", "9"], literals: ["7", "8", "9"])
        case .string(let text) where text.last == "s" || text.last == "m" || text.last == "d" || text.last == "h":
            return quoted(["11s", "12s", "13s"])
        case .string(let text) where text.hasSuffix("B"): return quoted(["5MiB", "6MiB", "7MiB"])
        default: return quoted(["one", "two", "three"])
        }
    }

    @Test(arguments: ServerConfiguration.options.map(\.key))
    func theStrongestPlaceWins(key: String) throws {
        let option = try #require(ServerConfiguration.options.first { $0.key == key })
        let sample = Self.sample(option)
        let file = try ConfigurationFile(
            path: "kiteq.toml", text: "[\(option.section)]\n\(option.name) = \(sample.literals[0])\n")
        let environment = [option.environment: sample.texts[1]]
        let flag = ConfigurationLoader.Flag("--set", key, sample.texts[2])
        func expected(_ text: String) throws -> ConfigurationValue {
            var configuration = ServerConfiguration()
            #expect(option.setText(&configuration, text), "\(text)")
            return option.value(configuration)
        }
        let places: [(ConfigurationLoader, String)] = [
            (.init(file: file), sample.texts[0]),
            (.init(environment: environment), sample.texts[1]),
            (.init(flags: [flag]), sample.texts[2]),
            (.init(environment: environment, file: file), sample.texts[1]),
            (.init(flags: [flag], file: file), sample.texts[2]),
            (.init(flags: [flag], environment: environment), sample.texts[2]),
            (.init(flags: [flag], environment: environment, file: file), sample.texts[2]),
        ]
        for (loader, text) in places {
            let loaded = try loader.load()
            #expect(try option.value(loaded) == expected(text))
            for other in ServerConfiguration.options where other.key != key {
                #expect(other.value(loaded) == other.value(ServerConfiguration()), "\(other.key) changed with \(key)")
            }
        }
        let untouched = try ConfigurationLoader().load()
        #expect(option.value(untouched) == option.value(ServerConfiguration()))
    }

    @Test func everyOptionHasAVariableOfItsOwn() {
        let names = ServerConfiguration.options.map(\.environment)
        #expect(Set(names).count == names.count)
        for name in [
            "KITEQ_BIND", "KITEQ_ADMIN", "KITEQ_STORE", "KITEQ_STORE_PASSWORD", "KITEQ_STORE_PASSWORD_FILE",
            "KITEQ_REGISTRY", "KITEQ_TOPICS", "KITEQ_NAME", "KITEQ_ADVERTISED", "KITEQ_LOG_LEVEL",
        ] {
            #expect(names.contains(name), "\(name)")
        }
        #expect(!names.contains("KITEQ_CONFIG"))
    }

    @Test func aMisspeltVariableIsFound() {
        let loader = ConfigurationLoader(environment: [
            "KITEQ_STOER": "x", "KITEQ_STORE": "y", "KITEQ_CONFIG": "z", "HOME": "/",
        ])
        #expect(loader.unknownVariables == ["KITEQ_STOER"])
    }

    @Test func aPasswordFromAStrongerPlaceTakesTheOthersPlace() throws {
        let file = try ConfigurationFile(path: "kiteq.toml", text: "[store]\npassword = \"weak\"\n")
        let loaded = try ConfigurationLoader(environment: ["KITEQ_STORE_PASSWORD_FILE": "/f"], file: file).load()
        #expect(loaded.store.password == "")
        #expect(loaded.store.passwordFile == "/f")
    }

    @Test func twoPasswordsInOnePlaceAreAMistake() throws {
        let file = try ConfigurationFile(path: "kiteq.toml", text: "[store]\npassword = \"a\"\npassword_file = \"b\"\n")
        #expect(throws: CommandError("store.password and store.password_file are both given; give one of them")) {
            try ConfigurationLoader(file: file).load()
        }
    }
}
