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
