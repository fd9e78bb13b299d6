import KiteQAdmin
import KiteQBroker
import KiteQCore
import Logging

/// Reads the configuration again and puts in force what can change while the broker runs: all of it, or, where it is not
/// valid, nothing.
actor Reloader {
    /// Options that it applies; others wait for a restart.
    static let options: Set<String> = [
        "broker.topics", "broker.max_connections", "broker.max_connections_per_address", "broker.max_packet",
        "broker.max_properties", "broker.packet_timeout", "broker.idle_timeout", "broker.handshake_timeout",
        "broker.tls", "broker.tls_certificate", "broker.tls_key", "broker.tls_client_ca",
        "broker.tls_client_certificates", "broker.tls_client_crl", "broker.tls_min_version", "broker.tls_ciphers",
        "broker.secret_files", "topics.max_body", "publish.receive_rate", "groups.file",
        "groups.default_rights",
        "groups.require_secret", "groups.allow_anyone", "groups.secrets", "groups.secret_files",
        "groups.max_connections", "groups.max_rate", "groups.max_bytes", "groups.max_half_messages",
        "groups.max_backlog", "log.level",
    ]
    /// Those by which groups are let in: they go together.
    private static let groupOptions: Set<String> = [
        "groups.file", "groups.require_secret", "groups.allow_anyone", "groups.secrets", "groups.secret_files",
    ]
    /// Those of the administration, where somebody applies them.
    static let adminOptions = adminTLSOptions.union([
        "admin.tokens_file", "admin.allow_anonymous", "admin.hosts", "admin.trusted_proxies", "admin.metrics",
        "admin.hsts_max_age",
    ])
    /// Whether the address speaks TLS at all is settled at the start.
    private static let adminTLSOptions: Set<String> = [
        "admin.tls_certificate", "admin.tls_key", "admin.tls_client_ca", "admin.tls_client_crl",
        "admin.tls_min_version", "admin.tls_ciphers",
    ]

    private var running: Reading
    /// Puts the configuration together again. A result, for a closure that throws a typed error and returns so large a value is
    /// miscompiled by Swift 6.3 (a wild read when it is called).
    typealias Load = @Sendable () -> Result<ServerConfiguration, CommandError>

    private let load: Load
    private let broker: Broker
    private let applyAdmin: (@Sendable (Reading) -> Void)?
    private let logger: Logger

    /// - Parameters:
    ///   - load: puts the configuration together again, from file, environment and flags.
    ///   - applyAdmin: takes what the administration can change while it runs; nil: nothing of it.
    init(
        _ running: Reading, load: @escaping Load, broker: Broker,
        applyAdmin: (@Sendable (Reading) -> Void)?, logger: Logger
    ) {
        self.running = running
        self.load = load
        self.broker = broker
        self.applyAdmin = applyAdmin
        self.logger = logger
    }

    /// The options in force, for people; secrets are hidden.
    var items: [ConfigurationItem] { running.configuration.items }

    /// - Throws: ``CommandError``: what is wrong with the configuration. All stays as it was then.
    func reload() throws(CommandError) -> ReloadReport {
        let wanted: ServerConfiguration
        let isEncrypted: Bool
        do throws(CommandError) {
            wanted = try load().get()
            // What needs a restart must be right too: at the restart it would be too late to hear of it.
            isEncrypted = try Reading(wanted).adminCertificate != nil
            _ = try StoreFactory.check(wanted.store, wanted.broker.secretFiles)
            _ = try RegistryFactory.configuration(wanted.registry, wanted.broker.secretFiles)
            if let file = wanted.file, let old = running.configuration.file, let cut = file.cut(after: old) {
                throw CommandError("the configuration file \(file.path) \(cut)")
            }
        } catch {
            logger.error("the configuration was not reloaded and all stays as it was: \(error.description)")
            throw error
        }
        let changed = ServerConfiguration.options.filter { $0.value(running.configuration) != $0.value(wanted) }
        var reloadable = Self.options.union(applyAdmin == nil ? [] : Self.adminOptions)
        // A line that is gone must not make plain HTTP of it, and with it tokens that anybody on the way can read.
        if isEncrypted != (running.adminCertificate != nil) { reloadable.subtract(Self.adminTLSOptions) }
        // Nor may it let in everybody who is near.
        if wanted.groups.file.isEmpty, !running.configuration.groups.file.isEmpty {
            reloadable.subtract(Self.groupOptions)
        }
        if wanted.adminAccess.tokensFile.isEmpty, !running.configuration.adminAccess.tokensFile.isEmpty {
            reloadable.subtract(["admin.tokens_file", "admin.allow_anonymous", "admin.metrics"])
        }
        var merged = running.configuration
        (merged.file, merged.fileFacts) = (wanted.file, wanted.fileFacts)
        var applied: [String] = []
        for option in changed where reloadable.contains(option.key) {
            let isSet = option.setValue(&merged, option.value(wanted))
            precondition(isSet, "an option takes what it gave: \(option.key)")
            applied.append(option.key)
        }
        let next: Reading
        do throws(CommandError) {
            next = try Reading(merged)
            try next.check(after: running)
        } catch {
            logger.error("the configuration was not reloaded and all stays as it was: \(error.description)")
            throw error
        }
        applied += contents(next, beyond: applied)
        apply(next)
        let report = ReloadReport(
            applied: applied, needsRestart: changed.map(\.key).filter { !reloadable.contains($0) })
        logger.notice("the configuration was reloaded: \(report)")
        return report
    }

    private func apply(_ next: Reading) {
        ProcessWide.logLevel.set(next.configuration.log.level)
        broker.reload(next.settings)
        applyAdmin?(next)
        for warning in next.warnings { logger.warning("\(warning)") }
        running = next
    }

    /// The options of files whose content alone has changed.
    private func contents(_ next: Reading, beyond applied: [String]) -> [String] {
        func isNamed(_ prefix: String) -> Bool { applied.contains { $0.hasPrefix(prefix) } }
        var found: [String] = []
        if next.settings.access != running.settings.access && !isNamed("groups.") {
            found.append(next.configuration.groups.file.isEmpty ? "groups.secret_files" : "groups.file")
        }
        if !isNamed("broker.tls") {
            found += Self.contents(
                of: "broker", next.settings.tls?.certificate, running.settings.tls?.certificate)
        }
        guard applyAdmin != nil else { return found }
        if next.admin.tokens != running.admin.tokens && !isNamed("admin.tokens_file") {
            found.append("admin.tokens_file")
        }
        if !isNamed("admin.tls") {
            found += Self.contents(of: "admin", next.adminCertificate, running.adminCertificate)
        }
        return found
    }

    private static func contents(
        of section: String, _ next: ServerCertificate?, _ running: ServerCertificate?
    ) -> [String] {
        var found: [String] = []
        if next?.chain != running?.chain { found.append("\(section).tls_certificate") }
        if next?.authorities != running?.authorities { found.append("\(section).tls_client_ca") }
        if next?.revocations?.content != running?.revocations?.content { found.append("\(section).tls_client_crl") }
        return found
    }
}
