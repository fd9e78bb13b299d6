import KiteQBroker
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

    @Test func browsersAreToldToComeByTLSAlone() async throws {
        try await withCertificates { certificates in
            let (encrypted, plain) = (
                AdminTLS(try Self.server(certificates), maxAge: .seconds(60)), AdminTLS(nil, maxAge: .seconds(60))
            )
            for (tls, host, header) in [
                (encrypted, "kiteq.example", "max-age=60"), (encrypted, "localhost", nil),
                (encrypted, "127.0.0.1", nil), (plain, "kiteq.example", nil),
            ] as [(AdminTLS, String, String?)] {
                try await LiveAdmin.serving(tls: tls) { port in
                    let context = tls.context == nil ? nil : try Self.client(certificates)
                    let answer = try await RawClient.connect(to: port, tls: context).ask(host: host).lowercased()
                    #expect(answer.hasPrefix("http/1.1"), "\(answer)")
                    let said = answer.split(separator: "\r\n").first { $0.hasPrefix("strict-transport-security") }
                    #expect(said.map(String.init) == header.map { "strict-transport-security: \($0)" }, "\(host)")
                }
            }
        }
    }

    private static func revocations(_ certificates: TestCertificates, _ name: String) throws -> RevocationList {
        let files = ServerCertificate.Files(
            section: "admin", certificate: certificates.file("server"), key: certificates.key("server"),
            clients: .must(ca: certificates.file("ca")), revocations: certificates.file(name))
        return try #require(try ServerCertificate(files).revocations)
    }

    /// In a connection that is there, too: with its next request.
    @Test func aRevokedCertificateOpensNothing() async throws {
        try await withCertificates { certificates in
            for name in ["good", "lost"] { try certificates.make(name, subject: name) }
            try certificates.makeRevocationList("none", revoking: [])
            try certificates.makeRevocationList("some", revoking: ["lost"])
            let server = try Self.server(certificates, clients: true)
            let tls = AdminTLS(server, revocations: try Self.revocations(certificates, "none"))
            try await LiveAdmin.serving(tls: tls) { port in
                func connect(_ name: String) async throws -> RawClient {
                    try await RawClient.connect(to: port, tls: Self.client(certificates, showing: name))
                }
                let (good, lost) = (try await connect("good"), try await connect("lost"))
                for client in [good, lost] { #expect(try await client.ask() == "HTTP/1.1 200 OK") }
                tls.set(server, revocations: try Self.revocations(certificates, "some"))
                #expect(try await lost.ask() == "")
                #expect(try await connect("lost").ask() == "")
                #expect(try await good.ask() == "HTTP/1.1 200 OK", "others stay")
                #expect(try await connect("good").ask() == "HTTP/1.1 200 OK")
                tls.set(server, revocations: try Self.revocations(certificates, "none"))
                #expect(try await connect("lost").ask() == "HTTP/1.1 200 OK")
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
