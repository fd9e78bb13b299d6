import KiteQAdmin
import KiteQBroker
import KiteQCore

extension AdminAccess {
    convenience init(_ admin: ResolvedAdmin) {
        self.init(AccessPolicy(admin))
    }

    func set(_ admin: ResolvedAdmin) { set(AccessPolicy(admin)) }
}

extension AdminTLS {
    func set(_ reading: Reloader.Reading) {
        let certificate = reading.adminCertificate
        set(
            certificate?.context, revocations: certificate?.revocations,
            maxAge: reading.configuration.adminAccess.hstsMaxAge)
    }
}

extension AccessPolicy {
    init(_ admin: ResolvedAdmin) {
        self.init(
            tokens: admin.tokens.map {
                AccessToken(
                    name: $0.name, role: Role($0.role), scope: NameScope($0), hash: $0.hash,
                    expiresAt: $0.expiresAt.map { Timestamp($0) * 1_000 })
            },
            anonymous: admin.anonymous.map(Role.init), anonymousByProxy: admin.anonymousByProxy.map(Role.init),
            opensGroupsByProxy: admin.opensGroupsByProxy, hosts: Set(admin.hosts),
            proxies: TrustedProxies(admin.trustedProxies), guardsMetrics: admin.guardsMetrics)
    }
}

extension Role {
    init(_ role: AdminToken.Role) {
        switch role {
        case .counts: self = .counts
        case .read: self = .read
        case .operate: self = .operate
        }
    }
}

extension NameScope {
    init(_ token: AdminToken) {
        self.init(
            topics: token.topics.map { Set($0.map { BindingName($0) }) },
            groups: token.groups.map { Set($0.map { BindingName($0) }) })
    }
}

extension ServerConfiguration {
    /// All options for people, secrets hidden.
    var items: [ConfigurationItem] {
        Self.options.map { option in
            let value = option.value(self)
            let isHidden = option.isSecret && value != .string("") && value != .list([]) && value != .table([:])
            return ConfigurationItem(
                key: option.key, value: isHidden ? "(hidden)" : value.description,
                source: origins[option.key] ?? "default")
        }
    }
}
