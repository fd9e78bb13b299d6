import KiteQBroker
import KiteQCore

extension ServerConfiguration {
    /// Who is let in and may do what, from the options and from the file of groups.
    /// - Parameter file: nil where there is none.
    /// - Throws: ``CommandError`` where they contradict each other, or a file cannot be read; a sentence without a secret.
    func resolvedAccess(_ file: GroupsFile.Reading?) throws(CommandError) -> AccessRules {
        if groups.requireSecret && groups.allowAnyone {
            throw CommandError(
                "groups.require_secret and groups.allow_anyone contradict each other; give one of them",
                about: "groups.require_secret", "groups.allow_anyone")
        }
        // Whoever lists groups means that others are not let in.
        let requires = groups.requireSecret || (!groups.file.isEmpty && !groups.allowAnyone)
        var known = file?.groups ?? [:]
        for (group, secret) in try plainSecrets().sorted(by: { $0.key < $1.key }) {
            var access = known[BindingName(group)] ?? GroupAccess(publish: .unsaid, subscribe: .unsaid)
            if !access.secrets.isEmpty {
                throw CommandError(
                    "group \(group) has a secret in groups.file and in groups.secrets or groups.secret_files; give one")
            }
            access.secrets = [.plain(secret)]
            known[BindingName(group)] = access
        }
        if requires, let open = known.filter({ !$0.value.isProtected }).keys.map(\.text).min() {
            throw CommandError(
                "group \(open) has neither a secret nor a certificate in \(groups.file), and would never be let in")
        }
        if broker.tls.clientCertificates == .none,
            let group = known.filter({ $0.value.certificate != nil }).keys.map(\.text).min()
        {
            throw CommandError(
                "group \(group) must show a certificate, and broker.tls_client_certificates = none asks for none")
        }
        return AccessRules(
            groups: known, requiresSecret: requires, defaultRights: defaultRights,
            isDefaultSaid: groups.file.isEmpty || groups.defaultRights != .unsaid,
            defaultLimits: groups.limits)
    }

    /// Whoever lists groups lists what they may do; where nobody does there is nothing to look it up in.
    private var defaultRights: TopicRights {
        switch groups.defaultRights {
        case .all: .all
        case .nothing: .none
        case .unsaid: groups.file.isEmpty ? .all : .none
        }
    }

    /// What `groups.file` holds; nil where there is none.
    /// - Throws: ``CommandError``, a sentence without a secret.
    func readGroups() throws(CommandError) -> GroupsFile.Reading? {
        groups.file.isEmpty ? nil : try GroupsFile.read(groups.file, broker.secretFiles)
    }

    /// Each group's secret, from the option itself or from its file.
    private func plainSecrets() throws(CommandError) -> [String: String] {
        var secrets = groups.secrets
        for (group, path) in groups.secretFiles.sorted(by: { $0.key < $1.key }) {
            if secrets[group] != nil {
                throw CommandError("group \(group) has a secret in groups.secrets and in groups.secret_files; give one")
            }
            secrets[group] = try SecretFile.read(path, what: "the secret of group \(group)", broker.secretFiles)
        }
        for group in secrets.keys where group.utf8.count > 255 {
            throw CommandError("groups.secrets names a group of more than 255 bytes")
        }
        return secrets
    }
}
