import Foundation
import KiteQBroker
import Logging
import Synchronization
import TestSupport
import Testing

@testable import kiteq

/// What a reload makes of the TLS of the administration's address.
@Suite(.timeLimit(.minutes(1))) struct AdminReloadTests {
    /// The options that the next reload reads.
    private final class Settings: Sendable {
        private let lines: Mutex<[String]>

        init(_ lines: [String]) { self.lines = Mutex(lines) }

        func set(_ lines: [String]) { self.lines.withLock { $0 = lines } }

        func load() -> Result<ServerConfiguration, CommandError> {
            let always = ["broker.topics=trade", "store.url=memory://", "registry.url=file:///nowhere.yaml"]
            let flags = (always + lines.withLock { $0 }).map { line in
                let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                return ConfigurationLoader.Flag("--set", parts[0], parts[1])
            }
            return Result { () throws(CommandError) in try ConfigurationLoader(flags: flags).load() }
        }
    }

    /// What a broker that began with some options says of its reload with others, and with other files. It never runs.
    private func reload(_ before: [String], _ after: [String], _ change: () throws -> Void = {}) async throws
        -> ReloadReport
    {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let settings = Settings(before)
        let host = try BrokerHost(settings.load().get(), again: { settings.load() }, logger: logger)
        settings.set(after)
        try change()
        return try await host.reload()
    }

    private func withCertificates(_ body: (TestCertificates, _ encrypted: [String]) async throws -> Void) async throws {
        let certificates = try TestCertificates()
        let files = ["certificate=\(certificates.file("server"))", "key=\(certificates.key("server"))"]
        try await body(certificates, files.map { "admin.tls_\($0)" })
        try certificates.remove()
    }

    @Test func itIsNotTurnedOffOrOn() async throws {
        try await withCertificates { _, encrypted in
            for (before, after) in [(encrypted, []), ([], encrypted)] as [([String], [String])] {
                let report = try await reload(before, after + ["admin.hosts=console.example"])
                #expect(report.applied == ["admin.hosts"])
                #expect(report.needsRestart == ["admin.tls_certificate", "admin.tls_key"])
            }
        }
    }

    @Test func anotherRevocationListInItsFileIsNamed() async throws {
        try await withCertificates { certificates, encrypted in
            try certificates.make("lost", subject: "lost")
            try certificates.makeRevocationList("list", revoking: [])
            let options =
                encrypted + [
                    "admin.tls_client_ca=\(certificates.file("ca"))",
                    "admin.tls_client_crl=\(certificates.file("list"))",
                ]
            let report = try await reload(options, options) {
                try certificates.makeRevocationList("list", revoking: ["lost"])
            }
            #expect(report == ReloadReport(applied: ["admin.tls_client_crl"], needsRestart: []))
            // One that its authority did not sign stops the reload.
            let error = await #expect(throws: CommandError.self) {
                try await reload(options, options) {
                    try certificates.makeRevocationList("list", revoking: [], authority: "stranger")
                }
            }
            #expect(error?.description.contains("none of the authorities in admin.tls_client_ca signed") == true)
        }
    }

    @Test func anOldRevocationListIsAWarning() async throws {
        try await withCertificates { certificates, encrypted in
            for (name, isCurrent) in [("current", true), ("old", false)] {
                try certificates.makeRevocationList(name, revoking: [], isCurrent: isCurrent)
                let settings = Settings(
                    encrypted + [
                        "admin.tls_client_ca=\(certificates.file("ca"))",
                        "admin.tls_client_crl=\(certificates.file(name))",
                    ])
                let warnings = try Reloader.Reading(try settings.load().get()).warnings
                let isSaid = warnings.contains {
                    $0.contains("a list of admin.tls_client_crl should have been followed")
                }
                #expect(isSaid == !isCurrent, "\(warnings)")
            }
        }
    }

    @Test func whoSeesTheMetricsAndForHowLongTLSIsMeantAreReloaded() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "kiteq-\(UUID().uuidString).toml").path
        let hash = String(repeating: "0f", count: 32)
        try SecretText.write("[tokens.a]\nrole = \"counts\"\nhash = \"sha256:\(hash)\"\n", to: path)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: path) } }
        let file = ["admin.tokens_file=\(path)"]
        let report = try await reload(file, file + ["admin.metrics=token", "admin.hsts_max_age=1d"])
        #expect(report == ReloadReport(applied: ["admin.hsts_max_age", "admin.metrics"], needsRestart: []))
        // A line that is lost together with the tokens does not open them.
        let lost = try await reload(file + ["admin.metrics=token"], [])
        #expect(lost.applied == [] && Set(lost.needsRestart) == ["admin.tokens_file", "admin.metrics"])
    }

    @Test func otherAuthoritiesInTheirFileAreNamed() async throws {
        try await withCertificates { certificates, encrypted in
            let options = encrypted + ["admin.tls_client_ca=\(certificates.file("ca"))"]
            let report = try await reload(options, options) {
                try FileManager.default.removeItem(atPath: certificates.file("ca"))
                try FileManager.default.copyItem(
                    atPath: certificates.file("stranger"), toPath: certificates.file("ca"))
            }
            #expect(report == ReloadReport(applied: ["admin.tls_client_ca"], needsRestart: []))
        }
    }
}
