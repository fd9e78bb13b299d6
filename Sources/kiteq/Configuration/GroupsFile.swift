import KiteQBroker
import KiteQCore

/// The file of `groups.file`:
///
///     [groups.s-payment]
///     secret = "pbkdf2-sha256:…"         # as kiteq secret hash prints it; or secrets = [..., ...] while one takes over
///     publish = ["trade", "feed"]        # topics, or "*"; without it none, unless groups.default_rights says all
///     subscribe = ["trade"]              # likewise
///     speaks_for = ["s-order"]           # groups that the headers of its messages may name, too
///     certificate = "payment.example"    # the name that its client certificate must have
///     max_body = "30KiB"                 # what its consumers take; a larger publish to it is refused
///     max_connections = 20               # its limits, in place of those of all groups; 0: none
///     max_rate = 500                     # likewise max_bytes, max_half_messages and max_backlog
enum GroupsFile {
    private static let keys =
        ["secret", "secrets", "publish", "subscribe", "speaks_for", "certificate", "max_body"] + limits.map(\.key)

    /// Of one group, each read as the option of its name is.
    private static let limits: [GroupLimitKey] = [
        .init("max_connections", \.connections, .groupConnections), .init("max_rate", \.rate, .groupRate),
        .init("max_bytes", \.bytes, .groupBytes), .init("max_half_messages", \.halfMessages, .groupMessages),
        .init("max_backlog", \.backlog, .groupMessages),
    ]

    /// What it held when it was read.
    struct Reading: Sendable {
        var groups: [BindingName: GroupAccess]
        var file: ListedFile
    }

    /// - Parameter rule: who else may reach the file.
    /// - Throws: ``CommandError``, a sentence without a secret.
    static func read(_ path: String, _ rule: SecretFileRule) throws(CommandError) -> Reading {
        let file = try ConfigurationFile(path: path, secret: rule)
        let groups = try groups(in: file)
        return Reading(
            groups: groups,
            file: ListedFile(
                kind: "group", content: file.content, names: Set(groups.keys.map(\.text)),
                shown: Set(groups.filter { $0.value.isProtected }.keys.map(\.text))))
    }

    static func groups(in file: ConfigurationFile) throws(CommandError) -> [BindingName: GroupAccess] {
        var groups: [BindingName: GroupAccess] = [:]
        for (name, entries) in try file.entries(of: "groups") {
            let place = "\(file.path), [groups.\(VisibleText.shortened(name))]"
            if let unknown = entries.keys.sorted().first(where: { !keys.contains($0) }) {
                throw CommandError(
                    "\(place): there is no \(VisibleText.shortened(unknown)); there are \(keys.joined(separator: ", "))"
                )
            }
            if entries["secret"] != nil && entries["secrets"] != nil {
                throw CommandError("\(place): secret and secrets are both given; give one of them")
            }
            var access = GroupAccess(publish: .unsaid, subscribe: .unsaid)
            access.secrets = try secrets(entries["secrets"] ?? entries["secret"].map { .list([$0]) }, place)
            if let value = entries["publish"] { access.publish = try topics(value, "publish", place) }
            if let value = entries["subscribe"] { access.subscribe = try topics(value, "subscribe", place) }
            if let value = entries["speaks_for"] { access.speaksFor = try names(value, "speaks_for", place) }
            if let value = entries["certificate"] {
                guard case .string(let text) = value, !text.isEmpty else {
                    throw CommandError("\(place): certificate must be the name in the group's client certificate")
                }
                access.certificate = text
            }
            if let value = entries["max_body"] {
                let codec = ConfigurationCodec<Int>.maxBody
                guard let bytes = codec.read(value) else {
                    throw CommandError(
                        "\(place): max_body must be \(codec.allowed), not \(VisibleText.shortened("\(value)"))")
                }
                access.maxBody = bytes
            }
            for limit in limits {
                guard let value = entries[limit.key] else { continue }
                guard let number = limit.codec.read(value) else {
                    throw CommandError(
                        "\(place): \(limit.key) must be \(limit.codec.allowed), not \(VisibleText.shortened("\(value)"))"
                    )
                }
                access.limits[keyPath: limit.path] = number
            }
            if let problem = access.problem { throw CommandError("\(place): \(problem)") }
            groups[BindingName(name)] = access
        }
        return groups
    }

    private static func secrets(
        _ value: ConfigurationValue?, _ place: String
    ) throws(CommandError) -> [GroupSecret] {
        guard let value else { return [] }
        guard case .list(let values) = value, values.count <= 8 else {
            throw CommandError("\(place): secrets must be a list of at most 8 texts")
        }
        var secrets: [GroupSecret] = []
        for value in values {
            guard case .string(let text) = value else {
                throw CommandError("\(place): secret must be a text, as kiteq secret hash prints it")
            }
            do {
                secrets.append(try GroupSecret(parsing: text))
            } catch {
                throw CommandError("\(place): \(error.message)")
            }
        }
        return secrets
    }

    /// A list of groups, each by its name: whoever may speak for all is nobody in particular.
    private static func names(
        _ value: ConfigurationValue, _ key: String, _ place: String
    ) throws(CommandError) -> Set<BindingName> {
        guard let names = ConfigurationCodec<[String]>.names.read(value), !names.contains("*") else {
            throw CommandError("\(place): \(key) must be \(ConfigurationCodec<[String]>.names.allowed)")
        }
        return Set(names.map(BindingName.init))
    }

    /// `"*"`, or a list of topics.
    private static func topics(
        _ value: ConfigurationValue, _ key: String, _ place: String
    ) throws(CommandError) -> TopicRights {
        if value == .string("*") || value == .list([.string("*")]) { return .all }
        guard let names = ConfigurationCodec<[String]>.names.read(value), !names.contains("*") else {
            throw CommandError("\(place): \(key) must be \"*\" or \(ConfigurationCodec<[String]>.names.allowed)")
        }
        return .only(Set(names.map(BindingName.init)))
    }
}
