package import KiteQCore

/// Who is let in, and who may do what. Groups count by their bytes.
package struct AccessRules: Sendable, Hashable {
    package let groups: [BindingName: GroupAccess]
    /// Whether a group that has neither a secret nor a certificate here is refused.
    package let requiresSecret: Bool
    /// What a group may do that is not named here, or of which nothing is said.
    package let defaultRights: TopicRights
    /// Whether the configuration says so in as many words.
    package let isDefaultSaid: Bool
    /// Of each group, where it has none of its own.
    package let defaultLimits: GroupLimits

    package init(
        groups: [BindingName: GroupAccess] = [:], requiresSecret: Bool = false, defaultRights: TopicRights = .all,
        isDefaultSaid: Bool = true, defaultLimits: GroupLimits = GroupLimits()
    ) {
        self.defaultLimits = defaultLimits
        self.groups = groups
        self.requiresSecret = requiresSecret
        self.defaultRights = defaultRights
        self.isDefaultSaid = isDefaultSaid
        prices = UnknownNamePrices(groups.values.filter(\.isProtected))
    }

    /// With secrets in plain text, all of them with all rights.
    package init(plain secrets: [String: String], requiresSecret: Bool = false) {
        self.init(
            groups: Dictionary(
                secrets.map {
                    (
                        BindingName($0.key),
                        GroupAccess(secrets: [.plain($0.value)], publish: .unsaid, subscribe: .unsaid)
                    )
                },
                uniquingKeysWith: { first, _ in first }), requiresSecret: requiresSecret)
    }

    package func mayPublish(_ group: String, to topic: String) -> Bool {
        (groups[BindingName(group)]?.publish ?? .unsaid).or(defaultRights).allows(topic)
    }

    package func maySubscribe(_ group: String, to topic: String) -> Bool {
        (groups[BindingName(group)]?.subscribe ?? .unsaid).or(defaultRights).allows(topic)
    }

    /// What a group may have and do.
    package func limits(of group: String) -> GroupLimits {
        guard let own = groups[BindingName(group)]?.limits else { return defaultLimits }
        return own.or(defaultLimits)
    }

    /// Whether any group has a limit of this kind.
    package func limitsAny(_ limit: (GroupLimits) -> Int) -> Bool {
        limit(defaultLimits) > 0 || groups.values.contains { limit($0.limits.or(defaultLimits)) > 0 }
    }

    /// Whether groups show who they are, so that their word for it counts, and a message's header is none.
    package var provesGroups: Bool { requiresSecret || !groups.isEmpty }

    /// Whether a group may publish messages whose header names this group.
    package func maySpeak(_ group: String, for other: String) -> Bool {
        guard provesGroups else { return true }
        let other = BindingName(other)
        return other == BindingName(group) || groups[BindingName(group)]?.speaksFor.contains(other) ?? false
    }

    /// What those should know who had groups with all rights by saying nothing; nil where there are none, or it is said what they have.
    package var warning: String? {
        guard !isDefaultSaid else { return nil }
        let silent = groups.filter { $0.value.publish == .unsaid || $0.value.subscribe == .unsaid }.keys.sorted().map(
            \.text)
        guard !silent.isEmpty else { return nil }
        let names = silent.prefix(100).joined(separator: ", ") + (silent.count > 100 ? ", …" : "")
        return
            "groups.file has no publish list or no subscribe list for \(silent.count) of its groups (\(names)): what is not listed is not allowed, where an earlier version allowed all of it. List their topics; then groups.default_rights = \"none\" says that the rest is meant so (\"all\" is what it was)"
    }

    // MARK: Letting in

    /// What let a client in.
    enum Admittance: Sendable, Hashable {
        /// Nothing was asked for.
        case anyone
        case secret(GroupSecret)
        /// Its certificate alone.
        case certificate
    }

    private let prices: UnknownNamePrices

    /// The rounds that a refusal of this group costs, whatever is wrong: ``UnknownNamePrices`` where it is not known.
    func price(of group: BindingName) -> Int {
        if let access = groups[group], access.isProtected { return access.price }
        return prices.price(of: group)
    }

    /// Whether a certificate has the name that the group's must have; true of a group of which none is asked for.
    ///
    /// - Parameter names: those of the certificate that the client showed.
    func isShown(_ names: [String], by group: BindingName) -> Bool {
        groups[group]?.certificate.map(names.contains) ?? true
    }

    /// Whether anybody who names the group is one of it.
    func isOpen(_ group: BindingName) -> Bool { !requiresSecret && groups[group]?.isProtected != true }

    /// What a client is let in by; nil where it is not. A refusal costs ``price(of:)``, whether the group is unknown, its
    /// secret or its certificate is wrong.
    ///
    /// - Parameter names: those of the certificate that the client showed.
    func admit(_ group: BindingName, secret: String, certificate names: [String]) -> Admittance? {
        if isOpen(group) { return .anyone }
        var unspent = price(of: group)
        if let access = groups[group], access.isProtected, isShown(names, by: group) {
            if access.secrets.isEmpty { return .certificate }
            for known in access.secrets {
                if known.matches(secret) { return .secret(known) }
                unspent -= known.rounds
            }
        }
        SecretHash.spend(rounds: unspent, on: secret)
        return nil
    }

    /// Whether one that was let in before still would be.
    func stillAdmits(_ group: BindingName, _ admittance: Admittance, certificate names: [String]) -> Bool {
        if isOpen(group) { return true }
        guard let access = groups[group], access.isProtected, isShown(names, by: group) else { return false }
        switch admittance {
        case .anyone: return false
        case .secret(let secret): return access.secrets.contains(secret)
        case .certificate: return access.secrets.isEmpty
        }
    }
}
