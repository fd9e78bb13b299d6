import KiteQCore
import NIOSSL

/// Who the client is to a server that asks for a certificate.
package struct AdminClientCertificate: Sendable {
    let chain: [NIOSSLCertificate]
    let key: NIOSSLPrivateKey

    /// - Parameters:
    ///   - file: PEM certificates, the client's own first.
    ///   - keyFile: its key, PEM without a passphrase.
    /// - Throws: ``AdminClientError`` where they cannot be read.
    package init(file: String, keyFile: String) throws(AdminClientError) {
        chain = try AdminClientConfiguration.certificates(file)
        do {
            key = try NIOSSLPrivateKey(file: keyFile, format: .pem)
        } catch {
            throw AdminClientError(
                "the file \(keyFile) \(FileReason.clause(keyFile, kind: "a key without a passphrase"))",
                isAboutFile: true)
        }
    }
}
