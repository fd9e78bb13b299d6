import KiteQCore

/// Makes findings of what is known. Pure; conf/prometheus/kiteq-alerts.yml has the same bounds for metrics.
enum HealthRules {
    /// A group that has clients, messages as old as this, and acknowledges nothing has stopped.
    static let stalledAfter: Timestamp = 60_000
    /// A group without a client anywhere is let wait for so long before it is a warning.
    static let absentAfter: Timestamp = 300_000
    /// A half message is worth a look after so many questions.
    static let questions = 3
    /// InnoDB gets slow at the head of a queue long before this.
    static let historyListLength = 1_000_000

    /// The worst first.
    static func findings(_ view: HealthView) -> [Finding] {
        let all =
            broker(view) + view.shards.flatMap(shard) + leases(view) + view.groups.flatMap { group($0, view.now) }
            + transactions(view) + deadLetters(view)
        let order = Finding.Severity.allCases
        return all.enumerated().sorted {
            (order.firstIndex(of: $0.element.severity) ?? 0, $0.offset)
                < (order.firstIndex(of: $1.element.severity) ?? 0, $1.offset)
        }.map(\.element)
    }

    private static func broker(_ view: HealthView) -> [Finding] {
        var findings: [Finding] = []
        if view.isDraining {
            findings.append(
                Finding(
                    severity: .information, subject: "broker", text: "This broker is being drained.",
                    action: "Nothing: it ends when what is in flight is done."))
        } else if let reason = view.whyNotReady {
            findings.append(
                Finding(
                    severity: .critical, subject: "broker", text: "This broker is not ready: \(reason).",
                    action: "See docs/outages.md; publishes wait for a moment and are then refused, nothing is lost."))
        }
        if !view.isRegistryConnected {
            findings.append(
                Finding(
                    severity: .warning, subject: "registry", text: "The registry cannot be reached.",
                    action:
                        "Look at ZooKeeper. Connected clients go on with the bindings last known; new ones do not find brokers."
                ))
        }
        return findings
    }

    private static func shard(_ report: ShardReport) -> [Finding] {
        guard let contents = report.contents else {
            return [
                Finding(
                    severity: .critical, subject: "shard \(report.shard)",
                    text: "\(report.database) does not answer: \(report.failure ?? "no reason is known").",
                    action:
                        "Look at the database server. What is in memory is delivered for as long as the lease lasts.")
            ]
        }
        var findings: [Finding] = []
        if let length = contents.historyListLength, length >= historyListLength {
            findings.append(
                Finding(
                    severity: .warning, subject: "shard \(report.shard)",
                    text: "The server has \(length) row versions to purge (history list length).",
                    action:
                        "End the oldest transaction of the server (information_schema.innodb_trx): while it runs, nothing is purged."
                ))
        }
        if report.pool.waiting > 0, report.pool.idle == 0 {
            findings.append(
                Finding(
                    severity: .warning, subject: "shard \(report.shard)",
                    text: "\(report.pool.waiting) callers wait for a connection, all \(report.pool.limit) are in use.",
                    action: "Where it lasts: raise store.connections, or see why statements are slow."))
        }
        return findings
    }

    private static func leases(_ view: HealthView) -> [Finding] {
        view.leases.enumerated().filter { $0.element <= 0 }.map { shard, _ in
            Finding(
                severity: .critical, subject: "lease",
                text: "The lease of shard \(shard) is not renewed: nothing of that shard is delivered here.",
                action: "Look at that shard's server and at the network to it; the broker goes on by itself.")
        }
    }

    private static func group(_ group: HealthView.Group, _ now: Timestamp) -> [Finding] {
        let report = group.report
        let subject = "group \(report.name)"
        let age = report.oldestAcceptedAt.map { max(0, now - $0) } ?? 0
        let waiting = "\(report.waiting.value)\(report.waiting.isAtLeast ? " or more" : "") messages"
        if let pause = report.pause {
            return [
                Finding(
                    severity: .information, subject: subject,
                    text: "\(report.name) is paused by \(pause.pausedBy): \(pause.reason). \(waiting) wait.",
                    action: "Resume it when the reason is gone.")
            ]
        }
        guard report.waiting.value > 0 else { return [] }
        if report.connectedTo.isEmpty, group.clientsHere == 0 {
            guard age >= absentAfter else { return [] }
            return [
                Finding(
                    severity: .warning, subject: subject,
                    text: "\(waiting) wait for \(report.name), which has no client; the oldest for \(minutes(age)).",
                    action:
                        "Start its consumers. If it is gone for good, delete its bindings: then it is owed nothing new."
                )
            ]
        }
        if age >= stalledAfter, group.clientsHere > 0, group.acknowledged == 0 {
            return [
                Finding(
                    severity: .critical, subject: subject,
                    text:
                        "\(report.name) has clients and acknowledges nothing: \(waiting) wait, the oldest for \(minutes(age)).",
                    action: "Look at its consumers: they hang, or refuse every message (see retries and dead letters).")
            ]
        }
        return []
    }

    private static func transactions(_ view: HealthView) -> [Finding] {
        let asked = view.transactions.filter { $0.checks >= questions }
        guard let first = asked.min(by: { $0.publishedAt < $1.publishedAt }) else { return [] }
        return [
            Finding(
                severity: .warning, subject: "transactions",
                text:
                    "\(asked.count) half messages are undecided after \(questions) or more questions, the oldest of \(first.publisherGroup) since \(minutes(view.now - first.publishedAt)).",
                action:
                    "See that their publishers run and answer; else commit or roll back by hand what the publisher's own tables say."
            )
        ]
    }

    private static func deadLetters(_ view: HealthView) -> [Finding] {
        guard view.recentDeadLetters.value > 0 else { return [] }
        let count = "\(view.recentDeadLetters.value)\(view.recentDeadLetters.isAtLeast ? " or more" : "")"
        return [
            Finding(
                severity: .warning, subject: "dead letters", text: "\(count) messages died within the last hour.",
                action: "See why (last error); requeue them when their consumer is mended.")
        ]
    }

    private static func minutes(_ age: Timestamp) -> String {
        age < 120_000 ? "\(age / 1_000) s" : age < 7_200_000 ? "\(age / 60_000) min" : "\(age / 3_600_000) h"
    }
}
