import TestSupport
import Testing

@testable import KiteQBroker

/// What a server's TLS files hold.
@Suite struct ServerCertificateTests {
    private func load(
        _ certificates: TestCertificates, _ clients: ServerCertificate.Files.Clients
    ) throws -> ServerCertificate {
        try ServerCertificate(
            ServerCertificate.Files(
                section: "admin", certificate: certificates.file("server"), key: certificates.key("server"),
                clients: clients))
    }

    @Test func theAuthoritiesAreToldFromTheCertificate() throws {
        let certificates = try TestCertificates()
        defer { #expect(throws: Never.self) { try certificates.remove() } }
        let first = try load(certificates, .must(ca: certificates.file("ca")))
        let other = try load(certificates, .may(ca: certificates.file("stranger")))
        #expect(other.chain == first.chain && other.authorities != first.authorities)
        try certificates.make("server", subject: "broker", names: "IP:127.0.0.1")
        let renewed = try load(certificates, .must(ca: certificates.file("ca")))
        #expect(renewed.chain != first.chain && renewed.authorities == first.authorities)
        #expect(try load(certificates, .anybody).authorities.isEmpty)
    }

    @Test func whyAFileCannotBeReadIsSaid() throws {
        let certificates = try TestCertificates()
        defer { #expect(throws: Never.self) { try certificates.remove() } }
        let error = #expect(throws: BrokerError.self) { try load(certificates, .must(ca: "/does/not/exist")) }
        #expect(error?.description == "the file /does/not/exist of admin.tls_client_ca does not exist")
        let key = #expect(throws: BrokerError.self) { try load(certificates, .must(ca: certificates.key("server"))) }
        #expect(
            key?.description.hasSuffix("has no certificate") == true
                || key?.description.contains("holds no PEM") == true)
    }
}
