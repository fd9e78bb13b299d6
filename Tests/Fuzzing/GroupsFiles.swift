import KiteQBroker
import KiteQCore

@testable import kiteq

/// A file of groups, as it is read at the start and at each reload.
enum GroupsFiles {
    static func read(_ input: [UInt8]) {
        ListedFiles.check(input, "group") { bytes in
            let groups = try GroupsFile.groups(in: ConfigurationFile(path: "groups.toml", bytes: bytes))
            for access in groups.values { check(access) }
            let written = groups.sorted { $0.key < $1.key }.map { table($0.key.text, $0.value) }.joined()
            return (groups, groups.keys.map(\.text), written)
        }
    }

    private static func check(_ access: GroupAccess) {
        precondition(access.secrets.count <= 8 && access.problem == nil, "what a log-in costs is bounded")
        precondition(access.maxBody.map { (1...2 << 20).contains($0) } ?? true)
        let limits = access.limits
        for limit in [limits.connections, limits.rate, limits.bytes, limits.halfMessages, limits.backlog] {
            precondition(limit.map { $0 >= 0 } ?? true, "a limit is a number from 0")
        }
    }

    private static func table(_ name: String, _ access: GroupAccess) -> String {
        var lines = ["[groups.\(TOMLText.quoted(name))]"]
        func line(_ key: String, _ value: String?) {
            if let value { lines.append("\(key) = \(value)") }
        }
        if !access.secrets.isEmpty { line("secrets", TOMLText.list(access.secrets.map(text))) }
        line("publish", text(access.publish))
        line("subscribe", text(access.subscribe))
        if !access.speaksFor.isEmpty { line("speaks_for", TOMLText.list(access.speaksFor.map(\.text))) }
        line("certificate", access.certificate.map(TOMLText.quoted))
        line("max_body", access.maxBody.map(String.init))
        line("max_connections", access.limits.connections.map(String.init))
        line("max_rate", access.limits.rate.map(String.init))
        line("max_bytes", access.limits.bytes.map(String.init))
        line("max_half_messages", access.limits.halfMessages.map(String.init))
        line("max_backlog", access.limits.backlog.map(String.init))
        return lines.joined(separator: "\n") + "\n"
    }

    private static func text(_ secret: GroupSecret) -> String {
        switch secret {
        case .plain(let text): "plain:\(text)"
        case .hashed(let hash): hash.text
        }
    }

    private static func text(_ rights: TopicRights) -> String? {
        switch rights {
        case .all: "\"*\""
        case .only(let topics): TOMLText.list(topics.map(\.text))
        case .unsaid: nil
        }
    }
}
