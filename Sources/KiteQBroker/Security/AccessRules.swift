package import KiteQCore

/// Who is let in, and who may do what. Groups count by their bytes.
package struct AccessRules: Sendable, Hashable {
    package let groups: [BindingName: GroupAccess]
    /// Whether a group that has neither a secret nor a certificate here is refused.
    package let requiresSecret: Bool
    /// What a group may do that is not named here.
    package let defaultRights: TopicRights

    package init(
        groups: [BindingName: GroupAccess] = [:], requiresSecret: Bool = false, defaultRights: TopicRights = .all
    ) {
        self.groups = groups
        self.requiresSecret = requiresSecret
        self.defaultRights = defaultRights
        mostRounds = groups.values.map { $0.secrets.reduce(0) { $0 + $1.rounds } }.max() ?? 0
    }

    /// With secrets in plain text, all of them with all rights.
    package init(plain secrets: [String: String], requiresSecret: Bool = false) {
        self.init(
            groups: Dictionary(
                secrets.map { (BindingName($0.key), GroupAccess(secrets: [.plain($0.value)])) },
                uniquingKeysWith: { first, _ in first }), requiresSecret: requiresSecret)
    }

    package func mayPublish(_ group: String, to topic: String) -> Bool {
        (groups[BindingName(group)]?.publish ?? defaultRights).allows(topic)
    }

    package func maySubscribe(_ group: String, to topic: String) -> Bool {
        (groups[BindingName(group)]?.subscribe ?? defaultRights).allows(topic)
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

    /// The rounds of the dearest group: what a refusal costs, whatever it is for.
    private let mostRounds: Int

    /// Whether to find out takes long enough to be done elsewhere.
    var isCostly: Bool { mostRounds > 0 }

    /// Whether anybody who names the group is one of it.
    func isOpen(_ group: BindingName) -> Bool { !requiresSecret && groups[group]?.isProtected != true }

    /// What a client is let in by; nil where it is not. A refusal takes the same time whether the group is unknown, its
    /// secret or its certificate is wrong.
    ///
    /// - Parameter names: those of the certificate that the client showed.
    func admit(_ group: BindingName, secret: String, certificate names: [String]) -> Admittance? {
        if isOpen(group) { return .anyone }
        var unspent = mostRounds
        if let access = groups[group], access.isProtected, access.certificate.map(names.contains) ?? true {
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
        guard let access = groups[group], access.isProtected, access.certificate.map(names.contains) ?? true else {
            return false
        }
        switch admittance {
        case .anyone: return false
        case .secret(let secret): return access.secrets.contains(secret)
        case .certificate: return access.secrets.isEmpty
        }
    }
}
