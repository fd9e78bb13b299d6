/// One option: its name in the file, its environment variable, what it may be, and where it goes.
struct ConfigurationOption: Sendable {
    /// `section.name`.
    let key: String
    /// Its value is never repeated, not even in an error.
    let isSecret: Bool
    let allowed: String
    /// False where the value is not allowed.
    let setValue: @Sendable (inout ServerConfiguration, ConfigurationValue) -> Bool
    let setText: @Sendable (inout ServerConfiguration, String) -> Bool
    /// What it is in a configuration, as it would stand in the file.
    let value: @Sendable (ServerConfiguration) -> ConfigurationValue

    init<Value: Sendable & Hashable>(
        _ key: String, _ path: any WritableKeyPath<ServerConfiguration, Value> & Sendable,
        _ codec: ConfigurationCodec<Value>, isSecret: Bool = false
    ) {
        self.key = key
        self.isSecret = isSecret
        allowed = codec.allowed
        setValue = { configuration, value in
            guard let value = codec.read(value) else { return false }
            configuration[keyPath: path] = value
            return true
        }
        setText = { configuration, text in
            guard let value = codec.parse(text) else { return false }
            configuration[keyPath: path] = value
            return true
        }
        value = { codec.write($0[keyPath: path]) }
    }

    /// `KITEQ_STORE_PASSWORD` for `store.password`; the section [broker] is left out, and what a section is mainly about
    /// has its name alone.
    var environment: String {
        switch key {
        case "store.url": return "KITEQ_STORE"
        case "registry.url": return "KITEQ_REGISTRY"
        case "admin.bind": return "KITEQ_ADMIN"
        default:
            let name = key.hasPrefix("broker.") ? key.dropFirst("broker.".count) : key[...]
            return "KITEQ_" + name.uppercased().split(separator: ".").joined(separator: "_")
        }
    }

    var section: Substring { key.prefix { $0 != "." } }
    var name: Substring { key.dropFirst(section.count + 1) }
}
