import KiteQCore

/// Puts a configuration together: a flag wins over its environment variable, that over the file, that over the default.
struct ConfigurationLoader: Sendable {
    /// An option as the command line gives it.
    struct Flag: Sendable, Hashable {
        /// `--bind`, for errors.
        var name: String
        var key: String
        var text: String

        init(_ name: String, _ key: String, _ text: String) {
            self.name = name
            self.key = key
            self.text = text
        }
    }

    /// Where an option's value came from; a later one wins.
    private enum Layer: Int, Comparable {
        case file, environment, flag

        static func < (a: Layer, b: Layer) -> Bool { a.rawValue < b.rawValue }
    }

    /// Of each pair only one may be given in the same place; in different places the stronger one counts alone.
    static let exclusive: [(String, String)] = [
        ("store.password", "store.password_file"), ("store.url", "store.shards"),
        ("registry.auth", "registry.auth_file"),
    ]

    var flags: [Flag] = []
    var environment: [String: String] = [:]
    var file: ConfigurationFile?

    init(flags: [Flag] = [], environment: [String: String] = [:], file: ConfigurationFile? = nil) {
        self.flags = flags
        self.environment = environment
        self.file = file
    }

    /// With the file that `--config` names, else KITEQ_CONFIG.
    /// - Throws: ``CommandError`` where it cannot be read.
    init(environment: [String: String], configuration path: String?) throws(CommandError) {
        self.environment = environment
        // An empty variable is one that a script left unset.
        let fallback = environment["KITEQ_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        if let path = path ?? fallback { file = try ConfigurationFile(path: path) }
    }

    /// - Throws: ``CommandError`` that names the flag, the variable, or the file and the key, and what is allowed.
    func load(over defaults: ServerConfiguration = ServerConfiguration()) throws(CommandError) -> ServerConfiguration {
        var configuration = defaults
        var layers: [String: Layer] = [:]
        if let file {
            (configuration.file, configuration.fileFacts) = (file.content, file.facts)
            try apply(file, to: &configuration, &layers)
        }
        for option in ServerConfiguration.options {
            guard let text = environment[option.environment] else { continue }
            guard option.setText(&configuration, text) else {
                throw CommandError(Self.sentence(option.environment, option, text))
            }
            layers[option.key] = .environment
            configuration.origins[option.key] = option.environment
        }
        for flag in flags {
            guard let option = ServerConfiguration.options.first(where: { $0.key == flag.key }) else {
                throw CommandError("\(flag.name): \(Self.unknown(flag.key))", status: .usage)
            }
            guard option.setText(&configuration, flag.text) else {
                throw CommandError(Self.sentence(flag.name, option, flag.text), status: .usage)
            }
            layers[option.key] = .flag
            configuration.origins[option.key] = flag.name
        }
        try keepStrongest(in: &configuration, layers)
        return configuration
    }

    /// Variables that look like options and are none: a misspelt one would otherwise do nothing, silently.
    var unknownVariables: [String] {
        let known = Set(ServerConfiguration.options.map(\.environment) + ["KITEQ_CONFIG", "KITEQ_CRASH_AT"])
        return environment.keys.filter { $0.hasPrefix("KITEQ_") && !known.contains($0) }.sorted()
    }

    private func apply(
        _ file: ConfigurationFile, to configuration: inout ServerConfiguration, _ layers: inout [String: Layer]
    ) throws(CommandError) {
        let options = Dictionary(uniqueKeysWithValues: ServerConfiguration.options.map { ($0.key, $0) })
        // In an order of its own, so that of two mistakes the same one is told each time.
        for (key, value) in file.values.sorted(by: { $0.key < $1.key }) {
            if key.hasSuffix(".") {
                let section = key.dropLast()
                guard ServerConfiguration.options.contains(where: { $0.section == section }) else {
                    throw CommandError("\(file.path): \(Self.unknown(key))")
                }
                continue
            }
            guard let option = options[key] else { throw CommandError("\(file.path): \(Self.unknown(key))") }
            guard option.setValue(&configuration, value) else {
                throw CommandError(
                    "\(file.path): \(Self.sentence(key, option, VisibleText.shortened(value.description), isLiteral: true))"
                )
            }
            layers[key] = .file
            configuration.origins[key] = file.path
        }
    }

    private func keepStrongest(
        in configuration: inout ServerConfiguration, _ layers: [String: Layer]
    ) throws(CommandError) {
        for (one, other) in Self.exclusive {
            guard let a = layers[one], let b = layers[other], Self.isSet(one, configuration),
                Self.isSet(other, configuration)
            else { continue }
            if a == b {
                throw CommandError("\(one) and \(other) are both given; give one of them", about: one, other)
                    .judged(by: configuration.origins)
            }
            let weaker = a < b ? one : other
            let option = ServerConfiguration.options.first { $0.key == weaker }
            _ = option?.setText(&configuration, "")
            configuration.origins[weaker] = nil
        }
    }

    private static func isSet(_ key: String, _ configuration: ServerConfiguration) -> Bool {
        ServerConfiguration.options.contains {
            $0.key == key && ![.string(""), .list([])].contains($0.value(configuration))
        }
    }

    // MARK: Sentences

    private static func sentence(
        _ name: String, _ option: ConfigurationOption, _ given: String, isLiteral: Bool = false
    ) -> String {
        if option.isSecret { return "\(name) must be \(option.allowed)" }
        return "\(name) must be \(option.allowed), not \(isLiteral ? given : "'\(given)'")"
    }

    static func unknown(_ key: String) -> String {
        let section = key.prefix { $0 != "." }
        let siblings = ServerConfiguration.options.filter { $0.section == section }
        if siblings.isEmpty {
            var sections: [Substring] = []
            for option in ServerConfiguration.options where sections.last != option.section {
                sections.append(option.section)
            }
            return
                "there is no section [\(VisibleText.shortened(String(section)))]; there are \(sections.map { "[\($0)]" }.joined(separator: ", "))"
        }
        return
            "there is no option \(VisibleText.shortened(key)); [\(section)] has \(siblings.map { String($0.name) }.joined(separator: ", "))"
    }
}
