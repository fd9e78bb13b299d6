import KiteQCore
import KiteQWire
import NIOConcurrencyHelpers
import NIOCore
import NIOSSL
import TestSupport
import Testing

@testable import KiteQBroker

/// The lines of docs/threat-model.md about TLS on the client port.
@Suite(.timeLimit(.minutes(3))) struct ThreatModelTLSTests {
    private static func options(
        _ certificates: TestCertificates, _ mode: TLSOptions.Mode, clients: TLSOptions.ClientCertificates = .none
    ) -> TLSOptions {
        var options = TLSOptions()
        options.mode = mode
        options.certificate = certificates.file("server")
        options.key = certificates.key("server")
        options.clientCertificates = clients
        if clients != .none { options.clientCA = certificates.file("ca") }
        return options
    }

    /// A client that trusts the test's authority and shows a certificate.
    private static func client(
        _ certificates: TestCertificates, showing name: String? = nil, trusting authority: String = "ca",
        atMost: TLSVersion? = nil
    ) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(certificates.file(authority))
        configuration.maximumTLSVersion = atMost
        if let atMost { configuration.minimumTLSVersion = atMost }
        if let name {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(certificates.file(name))
                .map { .certificate($0) }
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: certificates.key(name), format: .pem))
        }
        return try NIOSSLContext(configuration: configuration)
    }

    /// Whether a client is let in, however it is refused.
    private static func isLetIn(
        _ group: String, _ fixture: BrokerFixture, _ tls: NIOSSLContext?
    ) async throws -> Bool {
        let client = try await WireClient.connect(to: fixture.address, tls: tls)
        let isIn: Bool
        do { isIn = try await client.greet(group).status } catch { isIn = false }
        if !isIn { try await client.closed() }
        return isIn
    }

    private func withCertificates(_ body: (TestCertificates) async throws -> Void) async throws {
        let certificates = try TestCertificates()
        try await body(certificates)
        try certificates.remove()
    }

    @Test(arguments: [TLSVersion.tlsv12, .tlsv13]) func messagesComeAndGoEncrypted(version: TLSVersion) async throws {
        try await withCertificates { certificates in
            try await BrokerFixture.serving(configure: { $0.tls = Self.options(certificates, .required) }) { fixture in
                let tls = try Self.client(certificates, atMost: version)
                let consumer = try await WireClient.greeted("s-member", at: fixture.address, tls: tls)
                let producer = try await WireClient.greeted("p-pay", at: fixture.address, tls: tls)
                let body = String(repeating: "x", count: 1 << 20)
                #expect(try await producer.publish(.init(body: body)).status)
                #expect(try await consumer.delivery().body == body)
                #expect(fixture.broker.status?.tlsConnections == 2)
            }
        }
    }

    @Test func anOldVersionIsNotSpoken() async throws {
        try await withCertificates { certificates in
            try await BrokerFixture.serving(configure: { $0.tls = Self.options(certificates, .required) }) { fixture in
                #expect(try await !Self.isLetIn("p-pay", fixture, Self.client(certificates, atMost: .tlsv11)))
                try await fixture.until { $0.refusals["tls"] == 1 }
            }
        }
    }

    @Test func plainTextOnATLSPortIsClosedWithOneLine() async throws {
        let log = CapturedLog()
        try await withCertificates { certificates in
            try await BrokerFixture.serving(
                logger: log.logger, configure: { $0.tls = Self.options(certificates, .required) }
            ) { fixture in
                for _ in 0..<3 {
                    let isIn = try await Self.isLetIn("p-pay", fixture, nil)
                    #expect(!isIn)
                }
                #expect(fixture.broker.status?.refusals["plain_text"] == 3)
            }
        }
        #expect(log.lines.count { $0.contains("it speaks plain text") } == 1)
    }

    @Test func oneByOneClientsMoveOver() async throws {
        try await withCertificates { certificates in
            try await BrokerFixture.serving(configure: { $0.tls = Self.options(certificates, .optional) }) { fixture in
                let tls = try Self.client(certificates)
                let old = try await WireClient.greeted("s-member", at: fixture.address)
                let prefixed = try await WireClient.greeted("p-pay", at: fixture.address, framing: .lengthPrefixed)
                let new = try await WireClient.greeted("p-pay", at: fixture.address, tls: tls)
                #expect(try await new.publish(.init(body: "over")).status)
                #expect(try await old.delivery().body == "over")
                #expect(fixture.broker.status?.connections == 3 && fixture.broker.status?.tlsConnections == 1)
                var required = BrokerConfiguration()
                required.topics = ["trade"]
                required.tls = Self.options(certificates, .required)
                fixture.broker.reload(try SessionSettings(required))
                try await old.closed()
                try await prefixed.closed()
                #expect(try await new.publish(.init()).status)
            }
        }
    }

    @Test func aGreetingInPiecesIsToldFromTLS() async throws {
        try await withCertificates { certificates in
            try await BrokerFixture.serving(configure: { $0.tls = Self.options(certificates, .optional) }) { fixture in
                var greeting = ByteBuffer()
                // Its number begins as a TLS record does.
                try PacketWriter.writeConnMeta(
                    into: &greeting, framing: .plain, opaque: 0x1603_0101, ConnMeta(groupID: "p-pay", secretKey: ""))
                let client = try await WireClient.connect(to: fixture.address)
                while let byte = greeting.readSlice(length: 1) { try await client.send(byte) }
                #expect(try ConnAuthAck(decoding: try await client.next(.connAuth).body).status)
            }
        }
    }

    @Test func onlyAGoodClientCertificateIsTaken() async throws {
        try await withCertificates { certificates in
            try certificates.make("good", subject: "somebody")
            try certificates.make("expired", subject: "somebody", days: -1)
            try certificates.make("foreign", subject: "somebody", authority: "stranger")
            for clients in [TLSOptions.ClientCertificates.required, .optional] {
                try await BrokerFixture.serving(configure: {
                    $0.tls = Self.options(certificates, .required, clients: clients)
                }) { fixture in
                    func isLetIn(_ name: String?) async throws -> Bool {
                        try await Self.isLetIn("p-pay", fixture, Self.client(certificates, showing: name))
                    }
                    for (name, expected) in [
                        ("good", true), ("expired", false), ("foreign", false), (nil, clients == .optional),
                    ] {
                        let isIn = try await isLetIn(name)
                        #expect(isIn == expected, "\(name ?? "none")")
                    }
                    try await fixture.until { $0.refusals["tls"] == (clients == .optional ? 2 : 3) }
                }
            }
        }
    }

    /// Who is let in as the group whose certificate says payment.example.
    private static func lettingIn(
        _ certificates: TestCertificates, _ shown: [(name: String?, expected: Bool)]
    ) async throws {
        let rules = AccessRules(groups: [BindingName("p-pay"): GroupAccess(certificate: "payment.example")])
        try await BrokerFixture.serving(configure: {
            $0.tls = options(certificates, .required, clients: .optional)
            $0.access = rules
        }) { fixture in
            for (name, expected) in shown {
                let isIn = try await isLetIn("p-pay", fixture, client(certificates, showing: name))
                #expect(isIn == expected, "\(name ?? "none")")
            }
            #expect(fixture.broker.status?.refusals["credentials"] == shown.count { !$0.expected })
        }
    }

    @Test func aGroupShowsTheCertificateThatIsItsOwn() async throws {
        try await withCertificates { certificates in
            try certificates.make("payment", subject: "payment.example")
            try certificates.make("beside", subject: "x", names: "DNS:other.example,DNS:payment.example")
            try certificates.make("wrong", subject: "payment.example.org", names: "DNS:xpayment.example")
            try await Self.lettingIn(
                certificates, [("payment", true), ("beside", true), ("wrong", false), (nil, false)])
        }
    }

    /// Whoever may have certificates signed chooses the subject, too: the names beside it are what was checked.
    @Test func aSubjectIsNoNameBesideOthers() async throws {
        try await withCertificates { certificates in
            try certificates.make("disguised", subject: "payment.example", names: "DNS:mallory.example")
            try certificates.make("numbered", subject: "payment.example", names: "IP:127.0.0.1")
            try await Self.lettingIn(certificates, [("disguised", false), ("numbered", false)])
        }
    }

    @Test func aRevokedCertificateIsNotTaken() async throws {
        try await withCertificates { certificates in
            for name in ["good", "lost", "found"] { try certificates.make(name, subject: name) }
            try certificates.makeRevocationList("none", revoking: [])
            try certificates.makeRevocationList("some", revoking: ["lost"])
            var configuration = BrokerConfiguration()
            configuration.topics = ["trade"]
            configuration.tls = Self.options(certificates, .required, clients: .required)
            configuration.tls.clientCRL = certificates.file("none")
            let before = configuration
            configuration.tls.clientCRL = certificates.file("some")
            let after = configuration
            try await BrokerFixture.serving(configure: { $0.tls = before.tls }) { fixture in
                func greeted(_ name: String) async throws -> WireClient {
                    try await WireClient.greeted(
                        "p-pay", at: fixture.address, tls: Self.client(certificates, showing: name))
                }
                let (good, lost) = try await (greeted("good"), greeted("lost"))
                fixture.broker.reload(try SessionSettings(after))
                try await lost.closed()
                #expect(try await good.publish(.init()).status, "others stay")
                let isIn = try await Self.isLetIn("p-pay", fixture, Self.client(certificates, showing: "lost"))
                #expect(!isIn)
                _ = try await greeted("found")
            }
        }
    }

    @Test func aRevocationListIsItsAuthorities() async throws {
        try await withCertificates { certificates in
            try certificates.makeRevocationList("foreign", revoking: [], authority: "stranger")
            try certificates.makeRevocationList("old", revoking: [], isCurrent: false)
            var options = Self.options(certificates, .required, clients: .required)
            for (file, why) in [
                (certificates.file("foreign"), "none of the authorities"),
                (certificates.file("ca"), "has no certificate"),
                (certificates.file("missing"), "of broker.tls_client_crl"),
            ] {
                options.clientCRL = file
                let error = #expect(throws: BrokerError.self) { try ServerTLS.load(options, .private) }
                #expect(error?.description.contains(why) == true, "\(String(describing: error))")
            }
            options.clientCRL = certificates.file("old")
            let warnings = try ServerTLS.load(options, .private)?.warnings(now: SystemTime.wall()) ?? []
            #expect(warnings.contains { $0.contains("broker.tls_client_crl") })
        }
    }

    @Test func versionsAndSuitesAreThoseThatWereChosen() async throws {
        try await withCertificates { certificates in
            func isLetIn(
                _ change: @Sendable @escaping (inout TLSOptions) -> Void, _ suites: [NIOTLSCipher],
                _ version: TLSVersion
            ) async throws -> Bool {
                var options = Self.options(certificates, .required)
                change(&options)
                let chosen = options
                let isIn = NIOLockedValueBox(false)
                try await BrokerFixture.serving(configure: { $0.tls = chosen }) { fixture in
                    var client = TLSConfiguration.makeClientConfiguration()
                    client.trustRoots = .file(certificates.file("ca"))
                    client.cipherSuiteValues = suites
                    client.maximumTLSVersion = version
                    let tls = try NIOSSLContext(configuration: client)
                    let taken = try await Self.isLetIn("p-pay", fixture, tls)
                    isIn.withLockedValue { $0 = taken }
                }
                return isIn.withLockedValue { $0 }
            }
            let (good, cbc) = (
                [NIOTLSCipher.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256],
                [NIOTLSCipher.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA]
            )
            let named: @Sendable (inout TLSOptions) -> Void = {
                $0.protocols.ciphers = ["TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"]
            }
            let same: @Sendable (inout TLSOptions) -> Void = { _ in }
            let newest: @Sendable (inout TLSOptions) -> Void = { $0.protocols.lowest = .tls13 }
            for (change, suites, version, expected) in [
                (same, good, .tlsv12, true), (same, cbc, .tlsv12, false), (named, cbc, .tlsv12, true),
                (named, good, .tlsv12, false), (newest, good, .tlsv12, false), (newest, good, .tlsv13, true),
            ] as [(@Sendable (inout TLSOptions) -> Void, [NIOTLSCipher], TLSVersion, Bool)] {
                let isIn = try await isLetIn(change, suites, version)
                #expect(isIn == expected, "\(suites) \(version)")
            }
            var options = Self.options(certificates, .required)
            options.protocols.ciphers = ["TLS_NONE"]
            let error = #expect(throws: BrokerError.self) { try ServerTLS.load(options, .private) }
            #expect(error?.description.contains("broker.tls_ciphers has no suite TLS_NONE") == true)
        }
    }

    @Test func aRenewedCertificateIsTakenAtAReload() async throws {
        try await withCertificates { certificates in
            var configuration = BrokerConfiguration()
            configuration.topics = ["trade"]
            configuration.tls = Self.options(certificates, .required)
            let renewed = configuration
            try await BrokerFixture.serving(configure: { $0.tls = renewed.tls }) { fixture in
                let before = try await WireClient.greeted(
                    "p-pay", at: fixture.address, tls: Self.client(certificates))
                try certificates.make("server", subject: "broker", names: "IP:127.0.0.1", authority: "stranger")
                fixture.broker.reload(try SessionSettings(renewed))
                let new = try Self.client(certificates, trusting: "stranger")
                _ = try await WireClient.greeted("p-pay", at: fixture.address, tls: new)
                #expect(try await before.publish(.init()).status, "connections that are there stay")
            }
        }
    }
}
