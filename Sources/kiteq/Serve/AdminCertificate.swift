import KiteQBroker
import NIOSSL

/// The files of the administration's TLS, as they were when they were read.
struct AdminCertificate: Sendable {
    let context: NIOSSLContext
    /// Equal where the files had the same content.
    let fingerprint: [[UInt8]]
    /// What whoever runs this should know.
    let warning: String?

    /// Reads the files. TLS 1.2 or newer; with a CA every client must show a certificate of it.
    /// - Throws: ``CommandError`` that names the option and the file.
    init(_ tls: ResolvedAdmin.TLS) throws(CommandError) {
        let chain = try Self.certificates(tls.certificate, of: "admin.tls_certificate")
        let key = try Self.read(tls.key, of: "admin.tls_key") { try NIOSSLPrivateKey(file: tls.key, format: .pem) }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        var authorities: [NIOSSLCertificate] = []
        if let clientCA = tls.clientCA {
            authorities = try Self.certificates(clientCA, of: "admin.tls_client_ca")
            configuration.trustRoots = .certificates(authorities)
            configuration.certificateVerification = .noHostnameVerification
        }
        do {
            context = try NIOSSLContext(configuration: configuration)
            fingerprint = try (chain + authorities).map { try $0.toDERBytes() }
        } catch {
            throw CommandError(
                "admin.tls_certificate and admin.tls_key do not go together (\(tls.certificate), \(tls.key)): \(error)")
        }
        warning = chain.first.flatMap { CertificateEnd.warning(of: "admin.tls_certificate", at: $0.notValidAfter) }
    }

    private static func certificates(_ path: String, of option: String) throws(CommandError) -> [NIOSSLCertificate] {
        let found = try read(path, of: option) { try NIOSSLCertificate.fromPEMFile(path) }
        if found.isEmpty { throw CommandError("the file \(path) of \(option) has no certificate") }
        return found
    }

    private static func read<Value>(
        _ path: String, of option: String, _ body: () throws -> Value
    ) throws(CommandError) -> Value {
        do {
            return try body()
        } catch {
            throw CommandError("the file \(path) of \(option) cannot be read, or is not PEM")
        }
    }
}
