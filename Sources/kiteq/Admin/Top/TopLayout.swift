import Foundation
import KiteQAdminClient
import KiteQCore

/// What `kiteq top` shows of the answers: what is wrong on top, then rates and queues, then tables.
struct TopLayout {
    let answers: TopAnswers
    /// Whom was asked.
    let address: String

    /// - Parameter size: of the terminal: no line is wider, and there are not more. Nil: everything, whole.
    func lines(size: Terminal.Size?) -> [TopLine] {
        let head = self.head(size: size)
        var lines = head
        var left = size.map { max(0, $0.rows - head.count) }
        // The groups come first, but get what the others leave.
        let others = [section(shards, share: left.map { $0 / 4 }), section(brokers, share: left.map { $0 / 4 })]
        left = left.map { left in others.reduce(left) { $0 - $1.count } }
        lines += section(groups, share: left)
        for other in others { lines += other }
        guard let size else { return lines }
        return lines.prefix(size.rows).map { TopLine(DisplayText.cut($0.text, to: size.columns), $0.style) }
    }

    // MARK: The head

    private func head(size: Terminal.Size?) -> [TopLine] {
        var lines: [TopLine] = []
        if let failure = answers.overview.failure { lines.append(TopLine(failure, .critical)) }
        guard let overview = answers.overview.value else { return lines }
        lines.insert(TopLine(title(overview), .title), at: 0)
        lines += findings(overview.health, at: size.map { max(2, $0.rows / 3) }, columns: size?.columns)
        lines += figures(overview)
        return lines
    }

    private func figures(_ overview: API.Overview) -> [TopLine] {
        guard let rates = overview.rates, let queues = overview.queues, let memory = overview.memory else {
            return [
                TopLine(
                    "the token is for some topics or groups alone: rates and queues of the whole broker are not shown"),
                TopLine("here      \(leases(overview.leases))"),
            ]
        }
        return [
            TopLine(
                "a second  published \(Figures.rate(rates.published))  delivered \(Figures.rate(rates.delivered))  "
                    + "acknowledged \(Figures.rate(rates.acknowledged))  failed \(Figures.rate(rates.failed))"),
            TopLine(
                "now       awaiting store \(Figures.count(queues.awaitingStore))  in flight \(Figures.count(queues.inFlight))  "
                    + "queued \(Figures.count(queues.queued))  unflushed \(Figures.count(queues.unflushed))"),
            TopLine(
                "here      connections \(Figures.count(queues.connections))  groups \(Figures.count(queues.groups))  "
                    + "messages \(Figures.count(memory.messages)) (\(Figures.bytes(memory.bytes)))  "
                    + leases(overview.leases)),
        ]
    }

    private func title(_ overview: API.Overview) -> String {
        let broker = overview.broker
        let age = Figures.age(overview.startedAt, now: overview.now)
        return VisibleText.escaped(
            "\(broker.name) at \(broker.address)  \(broker.state)  up \(age)  version \(overview.version)  "
                + "\(Figures.time(overview.now))  (\(address))")
    }

    /// Each with what to do, whole: what is cut off there is what was looked for. Those that do not fit are counted.
    private func findings(_ findings: [API.Finding], at most: Int?, columns: Int?) -> [TopLine] {
        if findings.isEmpty { return [TopLine("all is well")] }
        var lines: [TopLine] = []
        var shown = 0
        for finding in findings {
            let next = Self.lines(of: finding, columns: columns)
            // The gravest is always there; one more line says how many are not.
            let isLast = shown == findings.count - 1
            if let most, shown > 0, lines.count + next.count + (isLast ? 0 : 1) > most { break }
            lines += next
            shown += 1
        }
        if shown < findings.count {
            let isCritical = findings.dropFirst(shown).contains { $0.severity == "critical" }
            let rest = "and \(findings.count - shown) more findings"
            lines.append(TopLine(rest, isCritical ? .critical : .warning))
        }
        return lines
    }

    private static func lines(of finding: API.Finding, columns: Int?) -> [TopLine] {
        let severity = finding.severity.uppercased()
        let indent = String(repeating: " ", count: severity.count + 2)
        let text = DisplayText.wrapped(
            VisibleText.escaped("\(severity)  \(finding.subject): \(finding.text)"), to: columns, indent: indent)
        let action = DisplayText.wrapped(
            VisibleText.escaped(finding.action), to: columns, first: "\(indent)- ", indent: indent + "  ")
        return (text + action).map { TopLine($0, style(finding)) }
    }

    private static func style(_ finding: API.Finding) -> TopLine.Style {
        switch finding.severity {
        case "critical": .critical
        case "warning": .warning
        default: .plain
        }
    }

    private func leases(_ leases: [API.Lease]) -> String {
        guard let shortest = leases.map(\.remaining).min() else { return "no lease" }
        return "leases \(leases.count), the shortest \(Figures.duration(seconds: shortest))"
    }

    // MARK: Tables

    /// A table's lines, the first its titles; or what is said in its place.
    private struct Section {
        var failure: String?
        var lines: [String]
    }

    private var groups: Section {
        var table = TextTable(ListGroupsCommand.columns)
        let items = (answers.groups.value ?? []).sorted {
            ($0.waiting.count, $0.inFlight, $1.group) > ($1.waiting.count, $1.inFlight, $0.group)
        }
        for group in items { table.add(ListGroupsCommand.row(group)) }
        let isFull = items.count == TopAnswers.maxGroups
        var lines = items.isEmpty ? (answers.groups.value == nil ? [] : ["no groups"]) : table.lines()
        if isFull { lines.append("the first \(Figures.count(items.count)) by name") }
        return Section(failure: answers.groups.failure, lines: lines)
    }

    private var shards: Section {
        Section(
            failure: answers.shards.failure, lines: answers.shards.value.map { ShardsCommand.table($0).lines() } ?? [])
    }

    private var brokers: Section {
        let now = answers.overview.value?.now ?? Date()
        return Section(
            failure: answers.brokers.failure,
            lines: answers.brokers.value.map { BrokersCommand.table($0, now: now).lines() } ?? [])
    }

    /// A blank line, the reason why it is old, the titles, and as many rows as fit.
    /// - Parameter share: lines that it may have.
    private func section(_ section: Section, share: Int?) -> [TopLine] {
        var lines = [TopLine("")]
        if let failure = section.failure { lines.append(TopLine(failure, .critical)) }
        lines += section.lines.prefix(1).map { TopLine($0, .title) }
        let rows = section.lines.dropFirst()
        guard let share, lines.count + rows.count > max(share, 4) else { return lines + rows.map { TopLine($0) } }
        let fitting = max(share, 4) - lines.count - 1
        return lines + rows.prefix(max(0, fitting)).map { TopLine($0) }
            + [TopLine("and \(rows.count - max(0, fitting)) more")]
    }
}
