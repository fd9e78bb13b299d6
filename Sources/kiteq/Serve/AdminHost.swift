import KiteQAdmin
import KiteQBroker
import KiteQCore
import NIOSSL

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
            anonymous: admin.anonymous.map(Role.init), hosts: Set(admin.hosts))
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

extension ResolvedAdmin.TLS {
    /// Reads the files. TLS 1.2 or newer; with a CA every client must show a certificate of it.
    /// - Throws: ``CommandError`` that names the option and the file.
    func configuration() throws(CommandError) -> TLSConfiguration {
        let chain = try Self.read(certificate, for: "admin.tls_certificate") {
            try NIOSSLCertificate.fromPEMFile(certificate)
        }
        let privateKey = try Self.read(key, for: "admin.tls_key") { try NIOSSLPrivateKey(file: key, format: .pem) }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(privateKey))
        configuration.minimumTLSVersion = .tlsv12
        if let clientCA {
            let authorities = try Self.read(clientCA, for: "admin.tls_client_ca") {
                try NIOSSLCertificate.fromPEMFile(clientCA)
            }
            configuration.trustRoots = .certificates(authorities)
            configuration.certificateVerification = .noHostnameVerification
        }
        return configuration
    }

    private static func read<Value>(
        _ path: String, for option: String, _ body: () throws -> Value
    ) throws(CommandError) -> Value {
        do {
            return try body()
        } catch {
            throw CommandError("the file \(path) of \(option) cannot be read, or is not PEM")
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
