import NIOSSL

/// The client port's TLS as it stands: what a reload replaces for the connections to come.
package final class ServerTLS: Sendable {
    let mode: TLSOptions.Mode
    /// Whether a client must show a certificate.
    let wantsCertificate: Bool
    let context: NIOSSLContext
    /// Unix seconds: when the certificate ends.
    package let expiresAt: Int
    /// Equal where the files had the same content.
    package let fingerprint: [[UInt8]]

    /// Reads the files. Nil where TLS is off.
    /// - Throws: ``BrokerError`` that names the option and the file.
    package static func load(_ options: TLSOptions) throws(BrokerError) -> ServerTLS? {
        if let problem = options.problem { throw BrokerError(problem) }
        return options.mode == .off ? nil : try ServerTLS(options)
    }

    private init(_ options: TLSOptions) throws(BrokerError) {
        let chain = try Self.read(options.certificate, for: "broker.tls_certificate") {
            try NIOSSLCertificate.fromPEMFile(options.certificate)
        }
        guard let own = chain.first else {
            throw BrokerError("the file \(options.certificate) of broker.tls_certificate has no certificate")
        }
        let key = try Self.read(options.key, for: "broker.tls_key") {
            try NIOSSLPrivateKey(file: options.key, format: .pem)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        var authorities: [NIOSSLCertificate] = []
        if options.clientCertificates != .none {
            authorities = try Self.read(options.clientCA, for: "broker.tls_client_ca") {
                try NIOSSLCertificate.fromPEMFile(options.clientCA)
            }
            configuration.trustRoots = .certificates(authorities)
            configuration.certificateVerification =
                options.clientCertificates == .required ? .noHostnameVerification : .optionalVerification
        }
        mode = options.mode
        wantsCertificate = options.clientCertificates == .required
        expiresAt = own.notValidAfter
        do {
            context = try NIOSSLContext(configuration: configuration)
            fingerprint = try (chain + authorities).map { try $0.toDERBytes() }
        } catch {
            throw BrokerError(
                "broker.tls_certificate and broker.tls_key do not go together (\(options.certificate), \(options.key)): \(error)"
            )
        }
    }

    private static func read<Value>(
        _ path: String, for option: String, _ body: () throws -> Value
    ) throws(BrokerError) -> Value {
        do {
            return try body()
        } catch {
            throw BrokerError("the file \(path) of \(option) cannot be read, or is not PEM")
        }
    }
}
