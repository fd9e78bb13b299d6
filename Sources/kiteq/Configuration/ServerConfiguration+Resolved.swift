import KiteQBroker
import KiteQCore

extension ServerConfiguration {
    /// The broker's part, put together and checked: what one option alone cannot tell.
    /// - Throws: ``CommandError`` where options contradict each other or a file of a secret cannot be read.
    func resolvedBroker() throws(CommandError) -> BrokerConfiguration { try resolvedBroker(readGroups()) }

    /// The same, where the file of groups was read.
    func resolvedBroker(_ groupsFile: GroupsFile.Reading?) throws(CommandError) -> BrokerConfiguration {
        var broker = self.broker
        if broker.topics.isEmpty {
            throw CommandError(
                "no topics to serve: name them with --topics trade,feed, KITEQ_TOPICS, or topics in [broker]",
                status: .usage)
        }
        if broker.advertised == nil, ["0.0.0.0", "::", "[::]"].contains(broker.bindHost) {
            // Clients could not find it by that address, and two such brokers would take each other for an earlier life.
            throw CommandError(
                "\(broker.bindHost) is no address that clients can connect to: name the broker's own with --advertise HOST:PORT",
                status: .usage)
        }
        if transactions.longest < transactions.firstAfter {
            throw CommandError(
                "transactions.longest_check must be at least transactions.first_check",
                about: "transactions.longest_check", "transactions.first_check")
        }
        do {
            broker.topicDefaults.redelivery = try RedeliverySchedule.validated(
                immediate: redelivery.immediate, steps: redelivery.steps, beyond: redelivery.beyond)
        } catch {
            throw CommandError(
                "delivery.immediate_attempts and delivery.retry_steps do not fit: \(error.message)",
                about: "delivery.immediate_attempts", "delivery.retry_steps")
        }
        if let problem = transactions.problem { throw CommandError("[transactions] cannot be used: \(problem)") }
        broker.transactions = transactions
        broker.access = try resolvedAccess(groupsFile)
        if !bind.isLoopback && !broker.access.requiresSecret && !groups.allowAnyone {
            throw CommandError(
                "broker.bind = \(bind) can be reached from elsewhere, and anybody there could be any group: name the groups in "
                    + "groups.file, or say groups.require_secret = true, or groups.allow_anyone = true if that is meant",
                about: "broker.bind")
        }
        if let problem = broker.tls.problem { throw CommandError(problem) }
        return broker
    }
}

/// A file whose content is a secret.
enum SecretFile {
    /// The content without the line break at its end.
    /// - Parameter rule: who else may reach it.
    /// - Throws: ``CommandError`` where it cannot be read, is empty, or has several lines.
    static func read(_ path: String, what: String, _ rule: SecretFileRule) throws(CommandError) -> String {
        let file: GuardedFile
        do {
            file = try GuardedFile(path, rule)
        } catch {
            throw CommandError(
                "the file \(path) for \(what) \(error.isUnreadable ? "cannot be read" : error.description)")
        }
        guard let text = String(validating: file.bytes, as: UTF8.self) else {
            throw CommandError("the file \(path) for \(what) is not UTF-8 text")
        }
        let secret = text.hasSuffix("\r\n") ? text.dropLast() : text.hasSuffix("\n") ? text.dropLast() : text[...]
        guard !secret.isEmpty, !secret.contains(where: \.isNewline) else {
            throw CommandError("the file \(path) for \(what) must hold one line")
        }
        return String(secret)
    }
}
