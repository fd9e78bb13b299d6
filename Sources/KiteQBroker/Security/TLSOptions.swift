/// How the client port speaks TLS: files in PEM, read at the start and again at each reload.
package struct TLSOptions: Sendable, Hashable {
    /// What is spoken on the one port there is. Clients of both kinds find a broker by the same address, so a team moves over
    /// one client at a time (`optional`) and closes the door behind the last one (`required`).
    package enum Mode: String, Sendable, Hashable, CaseIterable {
        case off
        /// TLS where the client begins with it.
        case optional
        case required
    }

    package enum ClientCertificates: String, Sendable, Hashable, CaseIterable {
        /// None is asked for.
        case none
        /// One that is shown must be good.
        case optional
        case required
    }

    package var mode = Mode.off
    /// The broker's certificate, and those between it and its authority.
    package var certificate = ""
    package var key = ""
    /// The authorities that clients' certificates are signed by.
    package var clientCA = ""
    package var clientCertificates = ClientCertificates.none
    /// Lists of clients' certificates that those authorities have revoked; "": none is looked at.
    package var clientCRL = ""
    package var protocols = TLSProtocols()

    package init() {}

    /// Why they do not go together; nil where they do.
    package var problem: String? {
        if mode == .off {
            return clientCertificates == .none
                ? nil : "broker.tls_client_certificates asks for TLS, and broker.tls is off"
        }
        if certificate.isEmpty || key.isEmpty {
            return "broker.tls = \(mode.rawValue) needs broker.tls_certificate and broker.tls_key, two PEM files"
        }
        if clientCertificates != .none && clientCA.isEmpty {
            return
                "broker.tls_client_certificates = \(clientCertificates.rawValue) needs broker.tls_client_ca, a PEM file with the authorities to trust"
        }
        if clientCertificates == .none && !clientCRL.isEmpty {
            return "broker.tls_client_crl is for broker.tls_client_certificates = optional or required"
        }
        if clientCertificates == .none && !clientCA.isEmpty {
            return "broker.tls_client_ca is for broker.tls_client_certificates = optional or required"
        }
        return nil
    }
}
