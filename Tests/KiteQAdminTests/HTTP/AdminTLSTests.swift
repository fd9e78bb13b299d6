import NIOSSL
import TestSupport
import Testing

@testable import KiteQAdmin

/// TLS of the administration's address.
@Suite(.timeLimit(.minutes(3))) struct AdminTLSTests {
    private static func server(_ certificates: TestCertificates, clients: Bool = false) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificates.file("server")).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: certificates.key("server"), format: .pem)))
        if clients {
            configuration.trustRoots = .file(certificates.file("ca"))
            configuration.certificateVerification = .noHostnameVerification
        }
        return try NIOSSLContext(configuration: configuration)
    }

    private static func client(
        _ certificates: TestCertificates, trusting authority: String = "ca", showing name: String? = nil
    ) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(certificates.file(authority))
        if let name {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(certificates.file(name))
                .map { .certificate($0) }
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: certificates.key(name), format: .pem))
        }
        return try NIOSSLContext(configuration: configuration)
    }

    private func withCertificates(_ body: (TestCertificates) async throws -> Void) async throws {
        let certificates = try TestCertificates()
        try await body(certificates)
        try certificates.remove()
    }

    /// "" where it is refused.
    private static func ask(_ port: Int, _ tls: NIOSSLContext?) async throws -> String {
        try await RawClient.connect(to: port, tls: tls).ask()
    }

    @Test func whoTrustsItIsAnsweredAndPlainTextIsNot() async throws {
        try await withCertificates { certificates in
            try await LiveAdmin.serving(tls: AdminTLS(Self.server(certificates))) { (port: Int) async throws -> Void in
                #expect(try await Self.ask(port, Self.client(certificates)) == "HTTP/1.1 200 OK")
                #expect(try await Self.ask(port, Self.client(certificates, trusting: "stranger")) == "")
                #expect(try await Self.ask(port, nil) == "")
            }
        }
    }

    @Test func clientsShowTheirCertificateWhereItIsAskedFor() async throws {
        try await withCertificates { certificates in
            try certificates.make("good", subject: "operator")
            try certificates.make("foreign", subject: "operator", authority: "stranger")
            try await LiveAdmin.serving(tls: AdminTLS(Self.server(certificates, clients: true))) {
                (port: Int) async throws -> Void in
                for (name, answer) in [("good", "HTTP/1.1 200 OK"), ("foreign", ""), (nil, "")] {
                    #expect(try await Self.ask(port, Self.client(certificates, showing: name)) == answer)
                }
            }
        }
    }

    @Test func anotherCertificateIsForTheConnectionsToCome() async throws {
        try await withCertificates { certificates in
            let tls = AdminTLS(try Self.server(certificates))
            try await LiveAdmin.serving(tls: tls) { port in
                let before = try await RawClient.connect(to: port, tls: Self.client(certificates))
                #expect(try await before.ask() == "HTTP/1.1 200 OK")
                try certificates.make("server", subject: "broker", names: "IP:127.0.0.1", authority: "stranger")
                tls.set(try Self.server(certificates))
                #expect(try await Self.ask(port, Self.client(certificates)) == "")
                #expect(
                    try await Self.ask(port, Self.client(certificates, trusting: "stranger")) == "HTTP/1.1 200 OK")
                #expect(try await before.ask() == "HTTP/1.1 200 OK", "connections that are there stay")
            }
        }
    }

    @Test func aHandshakeThatIsNotDoneEndsWithTheSilence() async throws {
        try await withCertificates { certificates in
            try await LiveAdmin.serving(
                tls: AdminTLS(Self.server(certificates)), limit: { $0.idleTime = .milliseconds(200) }
            ) { port in
                let client = try await RawClient.connect(to: port)
                // The head of a record that never comes.
                client.send("\u{16}\u{3}\u{1}\u{1}")
                try await client.closed()
            }
        }
    }
}
