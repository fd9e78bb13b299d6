package import KiteQCore
package import NIOSSL

/// A server's certificate, its key, and the authorities it lets clients by, as their files were when they were read.
package struct ServerCertificate: Sendable {
    /// Files in PEM.
    package struct Files: Sendable, Hashable {
        /// Who has to show a certificate of which authorities, a file too.
        package enum Clients: Sendable, Hashable {
            /// None is asked for.
            case anybody
            /// One that is shown must be good.
            case may(ca: String)
            case must(ca: String)
        }

        /// The section of the options that name them: `broker`, `admin`.
        package var section: String
        /// The server's own, and those between it and its authority.
        package var certificate: String
        package var key: String
        package var clients: Clients
        /// Lists of clients' certificates that those authorities have revoked; "": none is looked at.
        package var revocations: String
        /// Who else may reach the key.
        package var rule: SecretFileRule

        package var protocols: TLSProtocols

        package init(
            section: String, certificate: String, key: String, clients: Clients = .anybody, revocations: String = "",
            protocols: TLSProtocols = TLSProtocols(), rule: SecretFileRule = .private
        ) {
            self.revocations = revocations
            self.rule = rule
            self.section = section
            self.certificate = certificate
            self.key = key
            self.clients = clients
            self.protocols = protocols
        }
    }

    package let context: NIOSSLContext
    /// What the files of the certificate and of clients' authorities held: equal where they had the same content.
    package let chain: [[UInt8]]
    package let authorities: [[UInt8]]
    /// Nil where no client's certificate is looked up in one.
    package let revocations: RevocationList?
    private let option: String
    /// Unix seconds.
    private let expiresAt: Int

    /// - Throws: ``BrokerError`` that names the option and the file.
    package init(_ files: Files) throws(BrokerError) {
        option = "\(files.section).tls_certificate"
        let keyOption = "\(files.section).tls_key"
        let chain = try Self.certificates(files.certificate, of: option)
        let key = try Self.key(files.key, of: keyOption, files.rule)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        if let problem = files.protocols.problem(files.section) { throw BrokerError(problem) }
        files.protocols.apply(to: &configuration)
        var authorities: [NIOSSLCertificate] = []
        func verify(_ verification: CertificateVerification, by ca: String) throws(BrokerError) {
            authorities = try Self.certificates(ca, of: "\(files.section).tls_client_ca")
            configuration.trustRoots = .certificates(authorities)
            configuration.certificateVerification = verification
        }
        switch files.clients {
        case .anybody: break
        case .may(let ca): try verify(.optionalVerification, by: ca)
        case .must(let ca): try verify(.noHostnameVerification, by: ca)
        }
        expiresAt = chain[0].notValidAfter
        let trusted: [[UInt8]]
        do {
            context = try NIOSSLContext(configuration: configuration)
            self.chain = try chain.map { try $0.toDERBytes() }
            trusted = try authorities.map { try $0.toDERBytes() }
        } catch {
            throw BrokerError(
                "\(option) and \(keyOption) do not go together (\(files.certificate), \(files.key))")
        }
        self.authorities = trusted
        revocations =
            files.revocations.isEmpty
            ? nil : try RevocationList(files.revocations, section: files.section, authorities: trusted)
    }

    /// What whoever runs this should know now, each a sentence.
    ///
    /// - Parameter now: Unix milliseconds.
    package func warnings(now: Timestamp) -> [String] { [expiry(now), revocations?.warning].compactMap { $0 } }

    /// Nil where it lasts for two weeks at least.
    private func expiry(_ now: Timestamp) -> String? {
        let days = (expiresAt - Int(now / 1_000)) / 86_400
        guard days < 14 else { return nil }
        let when = days < 0 ? "has ended" : days == 0 ? "ends within a day" : "ends in \(days) days"
        return "the certificate of \(option) \(when)"
    }

    /// One at least.
    private static func certificates(_ path: String, of option: String) throws(BrokerError) -> [NIOSSLCertificate] {
        let found = try read(path, of: option) { try NIOSSLCertificate.fromPEMFile(path) }
        if found.isEmpty { throw BrokerError("the file \(path) of \(option) has no certificate") }
        return found
    }

    private static func key(
        _ path: String, of option: String, _ rule: SecretFileRule
    ) throws(BrokerError) -> NIOSSLPrivateKey {
        let file: GuardedFile
        do {
            file = try GuardedFile(path, rule)
        } catch {
            throw BrokerError("the file \(path) of \(option) \(error)")
        }
        return try read(path, of: option) { try NIOSSLPrivateKey(bytes: file.bytes, format: .pem) }
    }

    private static func read<Value>(
        _ path: String, of option: String, _ body: () throws -> Value
    ) throws(BrokerError) -> Value {
        do {
            return try body()
        } catch {
            throw BrokerError("the file \(path) of \(option) \(FileReason.clause(path, kind: "a certificate or key"))")
        }
    }
}
