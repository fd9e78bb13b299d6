package import KiteQCore
import NIOSSL

/// The client port's TLS as it stands: what a reload replaces for the connections to come.
package final class ServerTLS: Sendable {
    let mode: TLSOptions.Mode
    /// Whether a client must show a certificate.
    let wantsCertificate: Bool
    package let certificate: ServerCertificate

    var context: NIOSSLContext { certificate.context }

    /// Reads the files. Nil where TLS is off.
    /// - Parameter rule: who else may reach the key.
    /// - Throws: ``BrokerError`` that names the option and the file.
    package static func load(_ options: TLSOptions, _ rule: SecretFileRule) throws(BrokerError) -> ServerTLS? {
        if let problem = options.problem { throw BrokerError(problem) }
        return options.mode == .off ? nil : try ServerTLS(options, rule)
    }

    private init(_ options: TLSOptions, _ rule: SecretFileRule) throws(BrokerError) {
        mode = options.mode
        wantsCertificate = options.clientCertificates == .required
        certificate = try ServerCertificate(
            ServerCertificate.Files(
                section: "broker", certificate: options.certificate, key: options.key,
                clients: Self.clients(options), revocations: options.clientCRL, protocols: options.protocols, rule: rule
            ))
    }

    func revokes(_ shown: ShownCertificate) -> Bool { certificate.revocations?.revokes(shown.encoded) ?? false }

    func warnings(now: Timestamp) -> [String] { certificate.warnings(now: now) }

    private static func clients(_ options: TLSOptions) -> ServerCertificate.Files.Clients {
        switch options.clientCertificates {
        case .none: .anybody
        case .optional: .may(ca: options.clientCA)
        case .required: .must(ca: options.clientCA)
        }
    }
}
