import HTTPTypes
import KiteQCore

/// Who may call the administration: a pure rule on what a request says of itself.
///
/// A token in the `Authorization` header is all that counts for a caller who has one: no cookie is ever set or read, so another
/// site cannot act in an operator's name. Callers without a token get the role that the configuration gives to anybody, which
/// is nothing where the address is not loopback. Those are what another site could send a browser to, so for them the name
/// in `Host` must be an address, localhost or one that was configured: a foreign name that was made to lead here (DNS rebinding)
/// is refused. Nor are they anybody on this machine where a proxy has handed their request on.
package struct AccessPolicy: Sendable {
    package var tokens: [AccessToken]
    /// What anybody may do who calls without a token and without a proxy between. Nil: nothing.
    package var anonymous: Role?
    /// The same for whom a proxy of ``proxies`` sends. It must have been said, and does not follow from where the address is.
    package var anonymousByProxy: Role?
    /// Whether groups that show no secret are let in where a proxy of ``proxies`` sends them.
    package var opensGroupsByProxy: Bool
    package var proxies: TrustedProxies
    /// Whether `/metrics` is for those who show a token, and not for anybody who calls the broker by a name of its own.
    package var guardsMetrics: Bool
    /// Names by which browsers may reach the console, beside addresses and localhost.
    private var hosts: Set<HostName>

    package init(
        tokens: [AccessToken] = [], anonymous: Role? = nil, anonymousByProxy: Role? = nil,
        opensGroupsByProxy: Bool = false, hosts: Set<String> = [], proxies: TrustedProxies = TrustedProxies(),
        guardsMetrics: Bool = false
    ) {
        self.tokens = tokens
        self.anonymous = anonymous
        self.anonymousByProxy = anonymousByProxy
        self.opensGroupsByProxy = opensGroupsByProxy
        self.proxies = proxies
        self.guardsMetrics = guardsMetrics
        self.hosts = Set(hosts.compactMap { HostName($0) })
    }

    /// Who a request comes from.
    ///
    /// - Parameter authorization: the header, as it is.
    /// - Throws: ``Problem`` with 401 where there is no valid token, with 403 for a host that is not this one's.
    func admit(authorization: String?, from source: RequestSource, now: Timestamp) throws(Problem) -> Caller {
        if let authorization { return try admit(token: Self.token(authorization), now: now) }
        guard let role = source.way == .trustedProxies ? anonymousByProxy : anonymous else {
            throw .refused(.missing, .unauthorized, "a token is needed: Authorization: Bearer TOKEN")
        }
        try checkHost(source)
        if source.way == .otherProxies {
            throw .refused(
                .proxy, .unauthorized,
                "a token is needed: a proxy that is not in admin.trusted_proxies handed this on (HTTP/1.0 counts as that), so "
                    + "nobody knows who asks"
            )
        }
        return Caller(name: "anonymous", role: role)
    }

    /// The token of an `Authorization` header.
    /// - Throws: ``Problem`` with 401.
    static func token(_ authorization: String) throws(Problem) -> String {
        let parts = authorization.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw .refused(.token, .unauthorized, "the Authorization header must be: Bearer TOKEN")
        }
        return String(parts[1])
    }

    private func admit(token: String, now: Timestamp) throws(Problem) -> Caller {
        let hash = AccessToken.hash(of: token)
        // All are compared, and in the same time whatever they have in common.
        var found: AccessToken?
        for candidate in tokens where Self.equal(candidate.hash, hash) { found = candidate }
        guard let found else { throw .refused(.token, .unauthorized, "the token is not known here") }
        if let end = found.expiresAt, end <= now {
            throw .refused(.token, .unauthorized, "the token \(found.name) has expired: have a new one made")
        }
        return Caller(name: found.name, role: found.role, scope: found.scope)
    }

    private static func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.count == b.count && zip(a, b).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// Whether a group may come as anybody may call himself one.
    /// - Throws: ``Problem`` with 403.
    func checkOpenGroup(_ source: RequestSource) throws(Problem) {
        try checkHost(source)
        guard source.way == .direct || source.way == .trustedProxies && opensGroupsByProxy else {
            throw .refused(
                .proxy, .forbidden,
                "a proxy handed this on (HTTP/1.0 counts as that), and the group shows no secret: give it one in groups.file, or "
                    + "name the proxy in admin.trusted_proxies and say groups.allow_anyone = true")
        }
    }

    /// - Throws: ``Problem`` with 403, where a browser was perhaps sent here by a name that somebody made to lead here.
    func checkHost(_ source: RequestSource) throws(Problem) {
        guard isOwn(source.hosts) else {
            throw .refused(
                .host, .forbidden, "this host name is not known here: name it in admin.hosts, or use a token")
        }
    }

    /// Whether each name is one that leads here on purpose, and there is one.
    func isOwn(_ names: [HostName?]) -> Bool {
        !names.isEmpty
            && names.allSatisfy { name in
                name.map { $0.isAddress || $0.text == "localhost" || hosts.contains($0) } ?? false
            }
    }
}
