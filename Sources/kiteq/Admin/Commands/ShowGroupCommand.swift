import ArgumentParser
import KiteQAdminClient

/// `kiteq groups show`
struct ShowGroupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show one group.")

    @Argument(help: "The group's name.")
    var group: String

    @OptionGroup(title: "Administration") var admin: AdminArguments

    func validate() throws { try ClientArguments.check(group, "GROUP") }

    func run() async throws {
        try await admin.show(API.group(group)) { group in
            AdminOutput.print(Self.lines(group))
            try AdminOutput.check(group.unreachable)
        }
    }

    static func lines(_ group: API.Group) -> [String] {
        var fields = FieldList()
        fields.add("group", group.group)
        if let pause = group.pause {
            fields.add("paused", "since \(Figures.time(pause.at)) by \(pause.by): \(pause.reason)")
        } else {
            fields.add("paused", group.isPaused ? "yes" : "no")
        }
        let brokers = group.brokers.isEmpty ? "nowhere" : group.brokers.joined(separator: ", ")
        fields.add("clients", "\(group.clientsHere) here; connected to \(brokers)")
        fields.add("in flight", "\(Figures.count(group.inFlight)) here, \(Figures.count(group.queued)) queued")
        let oldest = group.oldestAt.map {
            ", the oldest since \(Figures.time($0)) (\(Figures.age($0, now: group.countedAt)))"
        }
        fields.add("waiting", Figures.count(group.waiting) + (oldest ?? ""))
        let next = group.nextRetryAt.map {
            ", the next \(Figures.time($0)) (\(Figures.wait($0, now: group.countedAt)))"
        }
        fields.add("retrying", Figures.count(group.retrying) + (next ?? ""))
        fields.add("dead letters", Figures.count(group.deadLetters))
        fields.add(
            "a second",
            "\(Figures.rate(group.delivered)) delivered, \(Figures.rate(group.acknowledged)) acknowledged, "
                + "\(Figures.rate(group.failed)) failed")
        let totals = group.totals
        fields.add(
            "in all",
            "\(Figures.count(totals.delivered)) delivered, \(Figures.count(totals.acknowledged)) acknowledged, "
                + "\(Figures.count(totals.refused)) refused, \(Figures.count(totals.timedOut)) not answered in time, "
                + "\(Figures.count(totals.deadLettered)) dead")
        fields.add("counted", Figures.time(group.countedAt))
        return fields.lines
    }
}
