import KiteQBroker
import KiteQCore
import TestSupport
import Testing

@testable import KiteQ

/// The lines of docs/threat-model.md about our own client, and the rest of its TLS.
@Suite(.timeLimit(.minutes(2))) struct ThreatModelClientTests {
    private let paid = Binding(group: "s-member", topic: "trade", messageType: "paid")

    private func serving(
        clients: TLSOptions.ClientCertificates = .none, mode: TLSOptions.Mode = .required,
        certificate: String = "server",
        _ body: @escaping @Sendable (TestBroker, TestCertificates) async throws -> Void
    ) async throws {
        let certificates = try TestCertificates()
        try certificates.make("expired", subject: "broker", names: "IP:127.0.0.1", days: -1)
        try certificates.make("elsewhere", subject: "broker", names: "DNS:broker.example")
        try certificates.make("client", subject: "p-pay")
        try await TestBroker.serving(
            [paid],
            configure: {
                $0.tls.mode = mode
                $0.tls.certificate = certificates.file(certificate)
                $0.tls.key = certificates.key(certificate)
                $0.tls.clientCertificates = clients
                if clients != .none { $0.tls.clientCA = certificates.file("ca") }
            }
        ) { try await body($0, certificates) }
        try certificates.remove()
    }

    /// Nil where it was taken.
    private func publish(_ configuration: KiteQConfiguration) async throws -> KiteQError? {
        let producer = try Producer(configuration, topics: ["trade"])
        let failure = Arrivals<KiteQError?>()
        try await running([producer]) {
            do {
                try await producer.publish(OutgoingMessage(topic: "trade", messageType: "paid", text: "x"))
                failure.yield(nil)
            } catch let error as KiteQError {
                failure.yield(error)
            }
        }
        return await failure.next(1)[0]
    }

    private func configuration(_ broker: TestBroker, _ tls: KiteQTLS?) -> KiteQConfiguration {
        var configuration = broker.configuration("p-pay")
        configuration.tls = tls
        return configuration
    }

    @Test func aMessageGoesThereAndBackEncrypted() async throws {
        try await serving(clients: .required) { broker, certificates in
            let tls = KiteQTLS(
                authoritiesFile: certificates.file("ca"), certificateFile: certificates.file("client"),
                keyFile: certificates.key("client"))
            let arrived = Arrivals<String>()
            var configuration = broker.configuration("s-member")
            configuration.tls = tls
            let consumer = try Consumer(
                configuration, subscriptions: [Subscription(topic: "trade", .messageType("paid"))]
            ) { arrived.yield($0.body.string) }
            let publisher = self.configuration(broker, tls)
            try await running([consumer]) {
                let error = try await publish(publisher)
                #expect(error == nil)
                #expect(await arrived.next(1) == ["x"])
            }
        }
    }

    @Test(arguments: [("expired", nil), ("elsewhere", nil), ("elsewhere", "other.example")] as [(String, String?)])
    func aBrokerWithAWrongCertificateIsNotSpokenTo(certificate: String, name: String?) async throws {
        try await serving(certificate: certificate) { broker, certificates in
            let tls = KiteQTLS(authoritiesFile: certificates.file("ca"), serverName: name)
            var configuration = self.configuration(broker, tls)
            configuration.publishTimeout = .seconds(2)
            let error = try await publish(configuration)
            #expect(error?.code == .notConnected)
            #expect(
                error?.message.contains("TLS with the broker failed: its certificate is ") == true,
                "\(error?.message ?? "")")
        }
    }

    @Test func theNameIsWhatTheCertificateSays() async throws {
        try await serving(certificate: "elsewhere") { broker, certificates in
            let tls = KiteQTLS(authoritiesFile: certificates.file("ca"), serverName: "broker.example")
            let error = try await publish(configuration(broker, tls))
            #expect(error == nil)
        }
    }

    @Test func nobodyFallsBackToPlainText() async throws {
        try await serving { broker, certificates in
            var plain = configuration(broker, nil)
            plain.publishTimeout = .seconds(2)
            let error = try await publish(plain)
            #expect(error?.code == .notConnected)
        }
        try await TestBroker.serving([paid]) { broker in
            var encrypted = configuration(broker, KiteQTLS())
            encrypted.publishTimeout = .seconds(2)
            let error = try await publish(encrypted)
            #expect(error?.code == .notConnected)
            for raw in ["SSL", "Error", "NIO"] {
                #expect(error?.message.contains(raw) == false, "\(error?.message ?? "")")
            }
        }
    }

    @Test func filesThatCannotBeUsedAreToldAtOnce() throws {
        for tls in [
            KiteQTLS(authoritiesFile: "/does/not/exist"), KiteQTLS(certificateFile: "/does/not/exist"),
            KiteQTLS(keyFile: "/does/not/exist"),
        ] {
            var configuration = KiteQConfiguration(group: "p-pay", discovery: .brokers(["127.0.0.1:1"]))
            configuration.tls = tls
            let error = #expect(throws: KiteQError.self) { try Producer(configuration, topics: ["trade"]) }
            #expect(error?.code == .invalid)
        }
    }
}
