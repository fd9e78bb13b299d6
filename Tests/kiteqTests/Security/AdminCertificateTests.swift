import Foundation
import TestSupport
import Testing

@testable import kiteq

/// The certificate of the administration's address in a process of its own: renewed, and spoilt, at a reload.
@Suite(.serialized, .timeLimit(.minutes(2))) struct AdminCertificateTests {
    @Test func aRenewedCertificateIsTakenAtAReloadAndABadOneIsNot() throws {
        let certificates = try TestCertificates()
        defer { #expect(throws: Never.self) { try certificates.remove() } }
        let registry = certificates.folder.appending(path: "registry.yaml")
        try Data("bindings: []\n".utf8).write(to: registry)
        let broker = try CommandProcess([
            "serve", "--topics", "trade", "--store", "memory://", "--registry", "file://\(registry.path)", "--bind",
            "127.0.0.1:0", "--admin", "127.0.0.1:0", "--set", "admin.tls_certificate=\(certificates.file("server"))",
            "--set", "admin.tls_key=\(certificates.key("server"))",
        ])
        let line = try broker.firstLine()
        let address = try #require(line.split(separator: "admin ").last?.dropLast()).description
        #expect(address.hasPrefix("https://"))
        func ask(_ command: [String], trusting authority: String) throws -> CommandProcess.Outcome {
            try CommandProcess.run(command + ["--admin", address, "--admin-ca", certificates.file(authority)])
        }
        #expect(try ask(["brokers"], trusting: "ca").status == 0)
        #expect(try ask(["brokers"], trusting: "stranger").status == 1)
        #expect(try ask(["reload"], trusting: "ca").output == "nothing changed\n")

        try certificates.make("server", subject: "broker", names: "IP:127.0.0.1", authority: "stranger")
        let reload = try ask(["reload"], trusting: "ca")
        #expect(reload.output == "applied: admin.tls_certificate\n", "\(reload.error)")
        #expect(try ask(["brokers"], trusting: "ca").status == 1)
        #expect(try ask(["brokers"], trusting: "stranger").status == 0)

        // Its key is another's; then it is none.
        try FileManager.default.removeItem(atPath: certificates.key("server"))
        try FileManager.default.copyItem(atPath: certificates.key("ca"), toPath: certificates.key("server"))
        let mismatch = try ask(["reload"], trusting: "stranger")
        #expect(mismatch.status == 1 && mismatch.error.contains("do not go together"), "\(mismatch.error)")
        try Data("no PEM".utf8).write(to: URL(fileURLWithPath: certificates.file("server")))
        #expect(kill(broker.process.processIdentifier, SIGHUP) == 0)
        #expect(try broker.errorLine(with: "was not reloaded").contains("do not go together"))
        #expect(try broker.errorLine(with: "was not reloaded").contains("of admin.tls_certificate"))
        #expect(try ask(["brokers"], trusting: "stranger").status == 0)
        broker.process.terminate()
        #expect(try broker.wait().status == 0)
    }

    @Test func aClientsCertificateIsRevokedAtAReload() throws {
        let certificates = try TestCertificates()
        defer { #expect(throws: Never.self) { try certificates.remove() } }
        for name in ["good", "lost"] { try certificates.make(name, subject: name) }
        try certificates.makeRevocationList("list", revoking: [])
        let registry = certificates.folder.appending(path: "registry.yaml")
        try Data("bindings: []\n".utf8).write(to: registry)
        let broker = try CommandProcess([
            "serve", "--topics", "trade", "--store", "memory://", "--registry", "file://\(registry.path)", "--bind",
            "127.0.0.1:0", "--admin", "127.0.0.1:0", "--set", "admin.tls_certificate=\(certificates.file("server"))",
            "--set", "admin.tls_key=\(certificates.key("server"))", "--set",
            "admin.tls_client_ca=\(certificates.file("ca"))", "--set",
            "admin.tls_client_crl=\(certificates.file("list"))",
        ])
        let line = try broker.firstLine()
        let address = try #require(line.split(separator: "admin ").last?.dropLast()).description
        func ask(_ command: String, as name: String) throws -> CommandProcess.Outcome {
            try CommandProcess.run([
                command, "--admin", address, "--admin-ca", certificates.file("ca"), "--admin-certificate",
                certificates.file(name), "--admin-key", certificates.key(name),
            ])
        }
        for name in ["good", "lost"] { #expect(try ask("brokers", as: name).status == 0) }
        try certificates.makeRevocationList("list", revoking: ["lost"])
        #expect(try ask("brokers", as: "lost").status == 0, "it is read at a reload")
        #expect(try ask("reload", as: "good").output == "applied: admin.tls_client_crl\n")
        #expect(try ask("brokers", as: "lost").status == 1)
        #expect(try ask("brokers", as: "good").status == 0)
        #expect(try broker.errorLine(with: "its certificate is revoked (admin.tls_client_crl)").contains("127.0.0.1"))
        broker.process.terminate()
        #expect(try broker.wait().status == 0)
    }
}
