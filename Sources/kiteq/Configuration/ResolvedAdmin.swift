import KiteQAdmin
import KiteQBroker
import KiteQCore

/// Who may use the administration's address, put together and checked.
struct ResolvedAdmin: Sendable, Hashable {
    /// Nil where it speaks plain HTTP.
    var tls: ServerCertificate.Files?
    var tokens: [AdminToken]
    /// Nil where there is no file of them.
    var tokensFile: ListedFile?
    /// What whoever shows no token may do; nil: nothing.
    var anonymous: AdminToken.Role?
    /// The same for whom a trusted proxy sends, who is not on this machine: nil where nobody said so.
    var anonymousByProxy: AdminToken.Role?
    /// Whether groups that show no secret are let in where a trusted proxy sends them.
    var opensGroupsByProxy = false
    /// Whether `/metrics` asks for a token.
    var guardsMetrics = false
    var hosts: [String]
    var trustedProxies: [AddressRange] = []
}

extension ServerConfiguration {
    /// - Throws: ``CommandError`` where options contradict each other, a file cannot be read, or anybody could operate the broker
    ///   from elsewhere without being told so.
    func resolvedAdmin() throws(CommandError) -> ResolvedAdmin {
        let options = adminAccess
        var resolved = ResolvedAdmin(
            tls: nil, tokens: [], anonymous: nil, opensGroupsByProxy: groups.allowAnyone,
            hosts: options.hosts + [admin?.host, broker.advertised?.host].compactMap { $0 },
            trustedProxies: options.trustedProxies)
        switch (options.tlsCertificate.isEmpty, options.tlsKey.isEmpty) {
        case (false, false):
            resolved.tls = .init(
                section: "admin", certificate: options.tlsCertificate, key: options.tlsKey,
                clients: options.tlsClientCA.isEmpty ? .anybody : .must(ca: options.tlsClientCA),
                revocations: options.tlsClientCRL, protocols: options.tlsProtocols, rule: broker.secretFiles)
        case (true, true):
            if !options.tlsClientCA.isEmpty {
                throw CommandError("admin.tls_client_ca needs admin.tls_certificate", about: "admin.tls_client_ca")
            }
        default:
            throw CommandError(
                "admin.tls_certificate and admin.tls_key go together: give both",
                about: "admin.tls_certificate", "admin.tls_key")
        }
        if options.tlsClientCA.isEmpty, !options.tlsClientCRL.isEmpty {
            throw CommandError(
                "admin.tls_client_crl needs admin.tls_client_ca: it is a list of certificates that those authorities have revoked",
                about: "admin.tls_client_crl")
        }
        if options.metrics == .token, options.tokensFile.isEmpty {
            throw CommandError(
                "admin.metrics = \"token\" needs admin.tokens_file: without one nobody could show a token",
                about: "admin.metrics")
        }
        resolved.guardsMetrics = options.metrics == .token
        if !options.tokensFile.isEmpty {
            let reading = try TokensFile.read(options.tokensFile, broker.secretFiles)
            (resolved.tokens, resolved.tokensFile) = (reading.tokens, reading.file)
        }
        if options.publishBody > AdminLimits.share(of: options.bodyMemory) {
            throw CommandError(
                "admin.body_memory must be at least twice admin.publish_body: one address may take half of it",
                about: "admin.body_memory", "admin.publish_body")
        }
        let isLoopback = admin?.isLoopback ?? true
        switch options.allowAnonymous {
        case .no: break
        case .counts: resolved.anonymous = .counts
        case .read: resolved.anonymous = .read
        case .operate: resolved.anonymous = .operate
        case nil: resolved.anonymous = isLoopback && options.tokensFile.isEmpty ? .operate : nil
        }
        if options.allowAnonymous != nil { resolved.anonymousByProxy = resolved.anonymous }
        if let admin, !isLoopback, options.tokensFile.isEmpty, options.allowAnonymous == nil {
            throw CommandError(
                "admin.bind = \(admin) can be reached from elsewhere: name who may use it in admin.tokens_file, or say what "
                    + "anybody may do with admin.allow_anonymous = \"no\", \"counts\", \"read\" or \"operate\"",
                about: "admin.bind"
            )
        }
        return resolved
    }
}
