import KiteQAdmin
import KiteQBroker
import KiteQCore

extension Reloader {
    /// What one reading of the configuration and its files came to.
    struct Reading: Sendable {
        var configuration: ServerConfiguration
        var broker: BrokerConfiguration
        var settings: SessionSettings
        /// What `groups.file` held; nil where there is none.
        var groups: ListedFile?
        var admin: ResolvedAdmin
        /// Nil: plain HTTP.
        var adminCertificate: ServerCertificate?
        /// How the process shares out the files that it may open.
        var descriptors: DescriptorShares

        /// What whoever runs this should know, each a sentence.
        var warnings: [String] {
            settings.warnings(now: SystemTime.wall()) + (adminCertificate?.warnings(now: SystemTime.wall()) ?? [])
                + [
                    configuration.fileWarning, descriptors.warning,
                    configuration.publishBodyWarning,
                ].compactMap { $0 }
        }

        /// Beside them, what whoever starts with it should know.
        var startWarnings: [String] { (groups?.warnings ?? []) + (admin.tokensFile?.warnings ?? []) }

        /// What callers may take of the administration.
        var adminLimits: AdminLimits {
            var limits = descriptors.adminLimits
            limits.publishBody = configuration.adminAccess.publishBody
            limits.bodyMemory = configuration.adminAccess.bodyMemory
            return limits
        }

        /// - Throws: ``CommandError``.
        init(
            _ configuration: ServerConfiguration, openFiles: Int = DescriptorLimit.current
        ) throws(CommandError) {
            self.configuration = configuration
            let groups = try configuration.readGroups()
            self.groups = groups?.file
            var broker = try configuration.resolvedBroker(groups)
            admin = try configuration.resolvedAdmin()
            descriptors = try DescriptorShares(configuration, limit: openFiles)
            broker.maxConnections = descriptors.clients
            self.broker = broker
            do {
                settings = try SessionSettings(broker)
                adminCertificate = try admin.tls.map(ServerCertificate.init)
            } catch {
                throw CommandError(error.description)
            }
        }

        /// - Throws: ``CommandError`` where a file lists so much less than before that it must be a mistake.
        func check(after running: Reading) throws(CommandError) {
            for (next, old) in [(groups, running.groups), (admin.tokensFile, running.admin.tokensFile)] {
                if let next, let old, let objection = next.objection(after: old) { throw CommandError(objection) }
            }
        }
    }
}

extension ServerConfiguration {
    /// Where one message of the largest size does not fit into a publish over HTTP, in which bytes are base64.
    fileprivate var publishBodyWarning: String? {
        let needed = (broker.maxPacket + 2) / 3 * 4
        guard admin != nil, adminAccess.publishBody < needed else { return nil }
        return
            "admin.publish_body = \(ByteSize(adminAccess.publishBody)) does not hold a message of broker.max_packet = "
            + "\(ByteSize(broker.maxPacket)) as base64, which takes \(needed) bytes: such messages cannot be published over HTTP"
    }

    /// Where the file of the options has secrets itself, and others may read it, or may write it.
    fileprivate var fileWarning: String? {
        guard let file, let fileFacts else { return nil }
        let secrets = ["store.password", "registry.auth", "groups.secrets"].filter { origins[$0] == file.path }
        let rule = secrets.isEmpty && broker.secretFiles == .private ? .readable : broker.secretFiles
        guard let objection = fileFacts.objection(file.path, by: rule, user: GuardedFile.user) else { return nil }
        let why = secrets.isEmpty ? "says who may come in" : "holds \(secrets.joined(separator: ", "))"
        return "the configuration file \(file.path) \(why), and \(objection)"
    }
}
