import KiteQCore

/// Groups, half messages and dead letters.
extension HealthRules {
    static func group(_ group: HealthView.Group, _ now: Timestamp) -> [Finding] {
        let report = group.report
        let subject = "group \(report.name)"
        let age = report.oldestAcceptedAt.map { max(0, now - $0) } ?? 0
        let waiting = count(report.waiting, "message waits", "messages wait")
        if let pause = report.pause {
            return [
                Finding(
                    severity: .information, subject: subject,
                    text: "\(report.name) is paused by \(pause.pausedBy): \(pause.reason). \(waiting).",
                    action: "Resume it when the reason is gone.")
            ]
        }
        guard report.waiting.value > 0 else { return [] }
        if report.connectedTo.isEmpty, group.clientsHere == 0 {
            guard age >= absentAfter else { return [] }
            return [
                Finding(
                    severity: .warning, subject: subject,
                    text: "\(waiting) for \(report.name), which has no client; the oldest for \(span(age)).",
                    action:
                        "Start its consumers. If it is gone for good, end its bindings (kiteq groups unbind \(report.name)): then it is owed nothing new."
                )
            ]
        }
        if age >= stalledAfter, group.clientsHere > 0, group.minute.acknowledged == 0 {
            let (why, action) = whyStalled(group.minute)
            return [
                Finding(
                    severity: .critical, subject: subject,
                    text:
                        "\(report.name) has clients and acknowledges nothing: \(waiting), the oldest for \(span(age)).\(why)",
                    action: action)
            ]
        }
        return []
    }

    /// A client that closes at what is too large for it looks like one that hangs or dies.
    static func doubts(_ group: HealthView.Group, _ now: Timestamp) -> [Finding] {
        guard let doubt = group.lastDoubt, now - doubt.at < doubtLasts else { return [] }
        let name = group.report.name
        return [
            Finding(
                severity: .warning, subject: "group \(name)",
                text:
                    "A message of \(doubt.bytes.grouped) bytes was not answered by a client of \(name), \(span(now - doubt.at)) ago: KiteQ's Java client closes its connection at more than 32 KiB.",
                action:
                    "Publish smaller messages to it: max_body for the group in groups.file refuses what it cannot take. Or give it a client that takes them."
            )
        ]
    }

    /// Consumers that hang and consumers that refuse are mended in different ways.
    private static func whyStalled(_ minute: Rates.Rate) -> (text: String, action: String) {
        switch (minute.timedOut, minute.failed) {
        case (let timedOut, let failed) where timedOut > 0 && timedOut == failed:
            (
                " No delivery is answered in time.",
                "Its consumers hang: pause it, restart them (with SIGKILL where they do not end), resume it."
            )
        case (0, let failed) where failed > 0:
            (
                " Every delivery is refused, or lost with its connection.",
                "kiteq messages show ID has the last error, with an ID of kiteq messages search --group. Pause the group while its consumers are mended."
            )
        default: ("", "Look at its consumers: they hang, or refuse every message (kiteq groups show says which).")
        }
    }

    /// Whether somebody should look at a half message that nobody has decided.
    static func isUnanswered(_ transaction: OpenTransaction, after age: Timestamp, _ now: Timestamp) -> Bool {
        // Not from when it was published, which is the producer's clock.
        transaction.checks >= questions || now - SequenceGenerator.timestamp(of: transaction.seq) >= age
    }

    static func transactions(_ view: HealthView) -> [Finding] {
        let unanswered = view.transactions.filter { isUnanswered($0, after: view.undecidedAfter, view.now) }
        guard let first = unanswered.min(by: { $0.seq < $1.seq }) else { return [] }
        let age = max(0, view.now - SequenceGenerator.timestamp(of: first.seq))
        let asked =
            first.checks > 0
            ? "asked about \(first.checks) \(first.checks == 1 ? "time" : "times")"
            : hasNobodyToAsk(first, view)
                ? "never asked about, since no publisher of that group is connected"
                : view.unknownTopics.contains(first.topic)
                    ? "not asked about yet; this broker does not serve its topic \(first.topic), and leaves it to those that do"
                    : "not asked about yet"
        return [
            Finding(
                severity: .warning, subject: "transactions",
                text:
                    "\(count(BoundedCount(unanswered.count), "half message is", "half messages are")) undecided, the oldest, of \(first.publisherGroup), for \(span(age)), \(asked).",
                action:
                    "See that their publishers run, are connected to a broker that serves the topic, and answer. Else find out from the publisher's own tables what happened, and commit or roll back by hand (kiteq transactions)."
            )
        ]
    }

    /// False where it is not known.
    private static func hasNobodyToAsk(_ transaction: OpenTransaction, _ view: HealthView) -> Bool {
        view.hasAllGroups
            && view.groups.allSatisfy { group in
                ![transaction.publisherGroup, transaction.connectionGroup].contains(group.report.name)
                    || (group.report.connectedTo.isEmpty && group.clientsHere == 0)
            }
    }

    static func deadLetters(_ view: HealthView) -> [Finding] {
        guard view.recentDeadLetters.value > 0 else { return [] }
        return [
            Finding(
                severity: .warning, subject: "dead letters",
                text: "\(count(view.recentDeadLetters, "message", "messages")) died within the last hour.",
                action:
                    "See which, and why (kiteq dead-letters --newer-than 1h); requeue them when their consumer is mended."
            )
        ]
    }

    private static func count(_ count: BoundedCount, _ one: String, _ many: String) -> String {
        "\(count.value.grouped)\(count.isAtLeast ? " or more" : "") \(count.value == 1 ? one : many)"
    }

    static func span(_ age: Timestamp) -> String { ServerClock.span(age) }
}
