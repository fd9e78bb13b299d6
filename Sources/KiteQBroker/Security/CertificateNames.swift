import NIOSSL
import SwiftASN1
import X509

/// The names that a client's certificate says: its subject's common name, and the DNS names and URIs beside it.
enum CertificateNames {
    /// Empty where it cannot be read. It was verified before: it is signed by an authority that is trusted, and in its time.
    static func of(_ certificate: NIOSSLCertificate) throws -> [String] {
        let certificate = try Certificate(derEncoded: certificate.toDERBytes())
        var names: [String] = []
        for part in certificate.subject {
            for attribute in part where attribute.type == .RDNAttributeType.commonName {
                if let name = String(attribute.value) { names.append(name) }
            }
        }
        for name in try certificate.extensions.subjectAlternativeNames ?? SubjectAlternativeNames([]) {
            switch name {
            case .dnsName(let name), .uniformResourceIdentifier(let name): names.append(name)
            default: break
            }
        }
        return names
    }
}
