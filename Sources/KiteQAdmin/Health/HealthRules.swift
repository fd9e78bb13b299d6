import KiteQCore

/// Makes findings of what is known. Pure; conf/prometheus/kiteq-alerts.yml has the same bounds for metrics.
enum HealthRules {
    /// A group that has clients, messages as old as this, and acknowledges nothing has stopped.
    static let stalledAfter: Timestamp = 60_000
    /// A group without a client anywhere is let wait for so long before it is a warning.
    static let absentAfter: Timestamp = 300_000
    /// A half message is worth a look after so many questions,
    static let questions = 3
    /// or when it is as old as this: where no publisher of its group is connected, nobody is asked.
    static let undecidedAfter: Timestamp = 60_000
    /// What a client may have been unable to take is a finding for so long.
    static let doubtLasts: Timestamp = 600_000
    /// What the store said is let be so old.
    static let storeAge: Timestamp = 30_000
    static let rejectionsShown = 20
    /// InnoDB gets slow at the head of a queue long before this.
    static let historyListLength = 1_000_000

    /// ``undecidedAfter``, or twice the time to the first question where that comes late.
    static func undecidedAge(_ schedule: TransactionSchedule) -> Timestamp {
        max(undecidedAfter, 2 * schedule.firstAfter)
    }

    /// The worst first.
    static func findings(_ view: HealthView) -> [Finding] {
        let system: [Finding] =
            broker(view) + rejections(view) + troubles(view) + store(view)
            + view.shards.flatMap { shard($0, view.readiness) }
            + clocks(view)
        let groups: [Finding] = view.groups.flatMap { group($0, view.now) + doubts($0, view.now) }
        let all = system + groups + transactions(view) + deadLetters(view)
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
        } else if view.readiness.state == .notReady {
            let reason = view.readiness.reason ?? "no shard of the store can be used"
            findings.append(
                Finding(
                    severity: .critical, subject: "broker", text: "This broker is not ready: \(reason).",
                    action: "See docs/outages.md; publishes are refused, nothing is lost."))
        }
        if !view.isRegistryConnected {
            findings.append(
                Finding(
                    severity: .warning, subject: "registry", text: "The registry cannot be reached.",
                    action:
                        "Look at ZooKeeper. Connected clients go on with the bindings last known; new ones do not find brokers."
                ))
        }
        return findings + view.registryProblems.map(registry)
    }

    private static func registry(_ problem: RegistryProblem) -> Finding {
        Finding(
            severity: problem.kind == .leftOut ? .warning : .critical, subject: "registry", text: problem.text,
            action: problem.action)
    }

    /// Each of some groups and topics, and how many more there are: they are the clients' input.
    private static func rejections(_ view: HealthView) -> [Finding] {
        let some = view.rejectedBindings.prefix(rejectionsShown)
        var findings = some.map { rejected in
            Finding(
                severity: .warning, subject: "group \(rejected.group)",
                text:
                    "\(rejected.count) of its bindings to topic \(rejected.topic) match nothing: \(rejected.reason).",
                action: "Its owner has to declare others; messages are not kept for these bindings.")
        }
        if some.count < view.rejectedBindings.count {
            findings.append(
                Finding(
                    severity: .warning, subject: "registry",
                    text:
                        "Bindings of \((view.rejectedBindings.count - some.count).grouped) more groups and topics match nothing.",
                    action: "Their owners have to declare others (PatternBudget in docs/security.md)."))
        }
        return findings
    }

    private static func store(_ view: HealthView) -> [Finding] {
        if let age = view.storeAge, age < storeAge { return [] }
        let text =
            view.storeAge.map { "What is said of shards, groups and transactions is \(span($0)) old." }
            ?? "The store has not said yet how shards, groups and transactions are."
        return [
            Finding(
                severity: .warning, subject: "store", text: "\(text) It is asked now.",
                action: "Look again in a few seconds; where it stays, see the shards (kiteq shards).")
        ]
    }

    /// What `/readyz` says of each shard.
    private static func troubles(_ view: HealthView) -> [Finding] {
        guard !view.isDraining else { return [] }
        return view.readiness.troubles.map { trouble in
            Finding(
                severity: .critical, subject: "shard \(trouble.shard)", text: "Here \(trouble.text).",
                action:
                    "Look at that shard's server and at the network to it. Publishes that fall on the shard are refused here, and nothing of it is delivered; the broker goes on by itself."
            )
        }
    }

    private static func shard(_ report: ShardReport, _ readiness: Readiness) -> [Finding] {
        guard let contents = report.contents else {
            // Where the broker itself writes there, it is people's questions alone that have no answer.
            let isUsed = readiness.reason == nil && !readiness.troubles.contains { $0.shard == report.shard }
            return conflict(report) + [
                Finding(
                    severity: isUsed ? .warning : .critical, subject: "shard \(report.shard)",
                    text: "\(report.database) does not answer: \(report.failure ?? "no reason is known").",
                    action:
                        "Look at the database server. What is in memory is delivered for as long as the lease lasts.")
            ]
        }
        var findings = conflict(report) + unknownRoutes(report)
        if let length = contents.historyListLength, length >= historyListLength {
            findings.append(
                Finding(
                    severity: .warning, subject: "shard \(report.shard)",
                    text: "The server has \(length.grouped) row versions to purge (history list length).",
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

    private static func clocks(_ view: HealthView) -> [Finding] {
        view.clockIncidents.map { incident in
            Finding(
                severity: .critical, subject: "clock",
                text: "\(incident.prefix(1).uppercased())\(incident.dropFirst()).",
                action:
                    "Set the clock that is wrong (NTP), see docs/operating.md. Nothing is lost by it; brokers of an older version beside this one go by their own clocks."
            )
        }
    }

    private static func conflict(_ report: ShardReport) -> [Finding] {
        guard let conflict = report.conflict else { return [] }
        return [
            Finding(
                severity: .critical, subject: "shard \(report.shard)", text: "\(conflict).",
                action:
                    "What is written to the wrong one is lost when it is copied anew. Make that one read-only, or stop it; the broker then goes on by itself. See docs/databases.md."
            )
        ]
    }

    private static func unknownRoutes(_ report: ShardReport) -> [Finding] {
        guard let first = report.unknownRoutes.min() else { return [] }
        let count = report.unknownRoutes.count
        let routes = count == 1 ? "route \(first)" : "\(count.grouped) routes, such as \(first)"
        return [
            Finding(
                severity: .critical, subject: "shard \(report.shard)",
                text:
                    "Messages wait whose groups nobody knows: \(routes) \(count == 1 ? "is" : "are") not in kite_route of \(report.database). Nobody gets them, and when they expire they become dead letters without a group.",
                action:
                    "Was the database put back, or were rows deleted? docs/restore.md says how to put the rows back, and how to give the messages to groups."
            )
        ]
    }
}
