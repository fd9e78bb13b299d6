import KiteQCore

/// How a client was let in: enough to say later whether it still would be.
struct Admission: Sendable, Hashable {
    var by: AccessRules.Admittance
    var isEncrypted: Bool
    /// Nil where it showed none.
    var certificate: ShownCertificate?

    /// Why a client of this group is not let in any more; nil where it is.
    func objection(_ group: String, _ settings: SessionSettings) -> String? {
        if !settings.access.stillAdmits(BindingName(group), by, certificate: certificate?.names ?? []) {
            return "its group's secret or certificate was changed or taken away"
        }
        if settings.tls?.mode == .required && !isEncrypted {
            return "it speaks plain text, and broker.tls is required now"
        }
        if settings.tls?.wantsCertificate == true && certificate == nil {
            return "it showed no certificate, and broker.tls_client_certificates is required now"
        }
        if let certificate, settings.tls?.revokes(certificate) == true {
            return "its certificate is revoked (broker.tls_client_crl)"
        }
        return nil
    }
}
