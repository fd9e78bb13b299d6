import KiteQCore
package import NIOSSL

/// Which broker's administration is asked, by whom, and how long it may take.
package struct AdminClientConfiguration: Sendable {
    package let address: AdminAddress
    package let token: String?
    /// Who may have signed the server's certificate; empty: whom this system trusts.
    package let authorities: [NIOSSLCertificate]
    /// What is shown to a server that asks for one.
    package let certificate: AdminClientCertificate?
    /// For a whole answer.
    package var timeout: Duration
    /// Bytes; a longer answer is refused before it is in memory.
    package var answerLimit = 32 << 20

    /// - Parameters:
    ///   - token: sent as `Authorization: Bearer`; visible ASCII.
    ///   - authoritiesFile: PEM certificates.
    ///   - certificate: shown to a server that asks for one.
    ///   - allowsTokenInClear: whether the token may be sent unencrypted over a network.
    /// - Throws: ``AdminClientError`` where the token cannot be sent, would be seen by others, or the file cannot be used.
    package init(
        address: AdminAddress, token: String?, authoritiesFile: String? = nil,
        certificate: AdminClientCertificate? = nil, allowsTokenInClear: Bool = false, timeout: Duration = .seconds(30)
    ) throws(AdminClientError) {
        if let token {
            guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw AdminClientError("a token is visible ASCII without spaces, and this one is not")
            }
            guard address.isEncrypted || address.isLoopback || allowsTokenInClear else {
                throw AdminClientError(
                    "the token would cross the network to \(address.host) unencrypted: use https://, or say --insecure")
            }
        }
        self.address = address
        self.token = token
        self.timeout = timeout
        self.certificate = certificate
        authorities = try authoritiesFile.map(Self.certificates) ?? []
    }

    /// - Throws: ``AdminClientError`` where there is none that can be read.
    static func certificates(_ path: String) throws(AdminClientError) -> [NIOSSLCertificate] {
        let certificates: [NIOSSLCertificate]
        do {
            certificates = try NIOSSLCertificate.fromPEMFile(path)
        } catch {
            throw AdminClientError(
                "the file \(path) \(FileReason.clause(path, kind: "a certificate"))", isAboutFile: true)
        }
        guard !certificates.isEmpty else {
            throw AdminClientError("there is no certificate in \(path)", isAboutFile: true)
        }
        return certificates
    }
}
