/// What went wrong in TLS, for a person: the library says it in a page, with the reason somewhere in it.
package enum TLSReason {
    private static let sentences = [
        ("WRONG_VERSION_NUMBER", "it does not speak TLS"), ("HTTP_REQUEST", "it speaks HTTP, not TLS"),
        ("HTTPS_PROXY_REQUEST", "it speaks HTTP, not TLS"),
        ("CERTIFICATE_VERIFY_FAILED", "its certificate is of an authority that is not trusted here"),
        ("PEER_DID_NOT_RETURN_A_CERTIFICATE", "it shows no certificate, and one is asked for"),
        ("UNKNOWN_CA", "it does not trust the certificate that it was shown"),
        ("BAD_CERTIFICATE", "it refuses the certificate that it was shown"),
        ("CERTIFICATE_UNKNOWN", "it refuses the certificate that it was shown"),
        ("CERTIFICATE_REQUIRED", "it asks for a certificate"), ("CERTIFICATE_EXPIRED", "the certificate has expired"),
        ("UNSUPPORTED_PROTOCOL", "it speaks only versions of TLS that are too old"),
        ("PROTOCOL_VERSION", "it speaks only versions of TLS that are too old"),
        ("unableToValidateCertificate", "its certificate is not of the name that was asked for"),
        ("failedToValidateHostname", "its certificate is not of the name that was asked for"),
        ("uncleanShutdown", "it closed the connection in the middle"),
        ("eofDuringHandshake", "it closed the connection"),
        ("EOF", "it closed the connection in the middle"),
    ]

    /// A clause.
    /// - Parameter description: the library's.
    package static func clause(_ description: String) -> String {
        if let known = sentences.first(where: { description.contains($0.0) }) { return known.1 }
        // "…:OPENSSL_internal:NO_SHARED_CIPHER at …"
        let mark = "OPENSSL_internal:"
        guard let range = description.firstRange(of: mark) else { return "the reason is not known" }
        let reason = description[range.upperBound...].prefix {
            $0.isASCII && ($0.isUppercase || $0.isNumber || $0 == "_")
        }
        return reason.isEmpty
            ? "the reason is not known" : reason.lowercased().split(separator: "_").joined(separator: " ")
    }
}
