import KiteQAdmin
import KiteQBroker
import KiteQCore

extension AdminAccess {
    convenience init(_ admin: ResolvedAdmin) {
        self.init(AccessPolicy(admin))
    }

    func set(_ admin: ResolvedAdmin) { set(AccessPolicy(admin)) }
}

extension AccessPolicy {
    init(_ admin: ResolvedAdmin) {
        self.init(
            tokens: admin.tokens.map {
                AccessToken(
                    name: $0.name, role: Role($0.role), hash: $0.hash,
                    expiresAt: $0.expiresAt.map { Timestamp($0) * 1_000 })
            },
            anonymous: admin.anonymous.map(Role.init), anonymousByProxy: admin.anonymousByProxy.map(Role.init),
            opensGroupsByProxy: admin.opensGroupsByProxy, hosts: Set(admin.hosts),
            proxies: TrustedProxies(admin.trustedProxies))
    }
}

extension Role {
    init(_ role: AdminToken.Role) {
        switch role {
        case .read: self = .read
        case .operate: self = .operate
        }
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
