import NIOSSL
import TestSupport
import Testing

@testable import KiteQBroker

/// Which names of a client's certificate count.
@Suite struct ShownCertificateTests {
    @Test(
        arguments: [
            ("payment.example", nil, ["payment.example"]),
            ("größe", nil, ["größe"]),
            ("a/CN=b", nil, ["a", "b"]),
            (
                "x", "DNS:payment.example,URI:spiffe://pay/ment,IP:127.0.0.1,email:a@b.example,DNS:other.example",
                ["payment.example", "spiffe://pay/ment", "other.example"]
            ),
            ("payment.example", "email:a@b.example", []),
        ] as [(subject: String, names: String?, expected: [String])])
    func areFound(_ subject: String, _ names: String?, _ expected: [String]) throws {
        let certificates = try TestCertificates()
        defer { #expect(throws: Never.self) { try certificates.remove() } }
        try certificates.make("client", subject: subject, names: names)
        let certificate = try #require(try NIOSSLCertificate.fromPEMFile(certificates.file("client")).first)
        #expect(try ShownCertificate(certificate).names == expected)
    }

    @Test func whatCannotBeReadIsSaid() {
        #expect("\(ShownCertificate.Unreadable())" == "the client's certificate has a name that cannot be read")
    }
}
