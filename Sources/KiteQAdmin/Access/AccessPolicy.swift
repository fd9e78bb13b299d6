import HTTPTypes
import KiteQCore

/// Who may call the administration: a pure rule on what a request says of itself.
///
/// A token in the `Authorization` header is all that counts for a caller who has one: no cookie is ever set or read, so another
/// site cannot act in an operator's name. Callers without a token get the role that the configuration gives to anybody, which
/// is nothing where the address is not loopback. Those are what another site could send a browser to, so for them the name
/// in `Host` must be an address, localhost or one that was configured: a foreign name that was made to lead here (DNS rebinding)
/// is refused.
package struct AccessPolicy: Sendable {
    package var tokens: [AccessToken]
    /// Nil: nobody without a token.
    package var anonymous: Role?
    /// Names by which browsers may reach the console, beside addresses and localhost.
    package var hosts: Set<String>

    package init(tokens: [AccessToken] = [], anonymous: Role? = nil, hosts: Set<String> = []) {
        self.tokens = tokens
        self.anonymous = anonymous
        self.hosts = Set(hosts.map { $0.lowercased() })
    }

    /// Who a request comes from.
    ///
    /// - Parameters:
    ///   - authorization: the header, as it is.
    ///   - host: the `Host` header, with or without a port.
    /// - Throws: ``Problem`` with 401 where there is no valid token, with 403 for a host that is not this one's.
    func admit(authorization: String?, host: String?, now: Timestamp) throws(Problem) -> Caller {
        if let authorization {
            let parts = authorization.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
            guard parts.count == 2, parts[0].lowercased() == "bearer" else {
                throw Problem(.unauthorized, "the Authorization header must be: Bearer TOKEN")
            }
            return try admit(token: String(parts[1]), now: now)
        }
        guard let anonymous else { throw Problem(.unauthorized, "a token is needed: Authorization: Bearer TOKEN") }
        guard isOwn(host: host) else {
            throw Problem(
                .forbidden, "this host name is not known here: name it in admin.hosts, or use a token")
        }
        return Caller(name: "anonymous", role: anonymous)
    }

    private func admit(token: String, now: Timestamp) throws(Problem) -> Caller {
        let hash = AccessToken.hash(of: token)
        // All are compared, and in the same time whatever they have in common.
        var found: AccessToken?
        for candidate in tokens where Self.equal(candidate.hash, hash) { found = candidate }
        guard let found else { throw Problem(.unauthorized, "the token is not known here") }
        if let end = found.expiresAt, end <= now {
            throw Problem(.unauthorized, "the token \(found.name) has expired: have a new one made")
        }
        return Caller(name: found.name, role: found.role)
    }

    private static func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.count == b.count && zip(a, b).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// Whether a browser that was sent to this host name was sent here on purpose.
    func isOwn(host: String?) -> Bool {
        guard let host = host.map(Self.withoutPort) else { return false }
        return host == "localhost" || Self.isAddress(host) || hosts.contains(host)
    }

    private static func withoutPort(_ host: String) -> String {
        if host.hasPrefix("["), let end = host.firstIndex(of: "]") { return String(host[...end]).lowercased() }
        return String(host.prefix { $0 != ":" }).lowercased()
    }

    private static func isAddress(_ host: String) -> Bool {
        if host.hasPrefix("["), host.hasSuffix("]") { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }
}

/// Who called, and what they may do.
package struct Caller: Sendable, Hashable {
    package var name: String
    package var role: Role

    package init(name: String, role: Role) {
        self.name = name
        self.role = role
    }
}
