import NIOSSL

/// How a client speaks TLS with brokers. The broker's certificate is always verified. Files are PEM, and read once.
public struct KiteQTLS: Sendable, Hashable {
    /// The authorities that brokers' certificates are signed by; nil: those that the machine trusts.
    public var authoritiesFile: String?
    /// The client's own certificate, where brokers ask for one, and its key.
    public var certificateFile: String?
    public var keyFile: String?
    /// The name that the brokers' certificates must have; nil: the host that is connected to, as the registry names it.
    public var serverName: String?

    public init(
        authoritiesFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil,
        serverName: String? = nil
    ) {
        self.authoritiesFile = authoritiesFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.serverName = serverName
    }

    /// - Throws: ``KiteQError`` with `invalid`, which names the file.
    func context() throws(KiteQError) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if let authoritiesFile {
            configuration.trustRoots = .certificates(
                try Self.read(authoritiesFile) { try NIOSSLCertificate.fromPEMFile(authoritiesFile) })
        }
        switch (certificateFile, keyFile) {
        case (let certificate?, let key?):
            configuration.certificateChain =
                try Self.read(certificate) { try NIOSSLCertificate.fromPEMFile(certificate) }.map { .certificate($0) }
            configuration.privateKey = .privateKey(
                try Self.read(key) { try NIOSSLPrivateKey(file: key, format: .pem) })
        case (nil, nil): break
        default: throw KiteQError(.invalid, "a client's certificate and its key go together: name both files")
        }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw KiteQError(.invalid, "TLS cannot be used: the certificate and the key do not go together")
        }
    }

    private static func read<Value>(_ path: String, _ body: () throws -> Value) throws(KiteQError) -> Value {
        do {
            return try body()
        } catch {
            throw KiteQError(.invalid, "the file \(path) cannot be read, or is not PEM")
        }
    }
}

/// A ``KiteQTLS`` whose files were read.
struct ClientTLS: Sendable {
    let context: NIOSSLContext
    let serverName: String?

    init(_ options: KiteQTLS) throws(KiteQError) {
        context = try options.context()
        serverName = options.serverName
    }

    /// For a connection to this host.
    func handler(for host: String) throws -> NIOSSLClientHandler {
        let name = serverName ?? host
        // An address is no server name: then it is verified that the certificate is for the address that is connected to.
        return try NIOSSLClientHandler(context: context, serverHostname: Self.isAddress(name) ? nil : name)
    }

    private static func isAddress(_ host: String) -> Bool {
        host.contains(":")
            || host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { UInt8($0) != nil }
    }
}
