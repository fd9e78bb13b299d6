import ArgumentParser
import KiteQAdminClient

/// `kiteq groups list`
struct ListGroupsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the groups by name (the default).",
        discussion: """
            CLIENTS, IN FLIGHT, QUEUED and the rates are of the broker that answers; WAITING, OLDEST, RETRYING and DEAD \
            (letters) are in the store.
            """)

    @OptionGroup var names: SearchArguments
    @OptionGroup var pages: PageArguments
    @OptionGroup(title: "Administration") var admin: AdminArguments

    static let columns: [TextTable.Column] = [
        .text("GROUP"), .text("STATE"), .number("CLIENTS"), .number("BROKERS"), .number("IN FLIGHT"),
        .number("QUEUED"), .number("WAITING"), .number("OLDEST"), .number("RETRYING"), .number("DEAD"),
        .number("DELIVERED/s"),
        .number("ACKED/s"), .number("FAILED/s"),
    ]

    func run() async throws {
        try await admin.withClient { client in
            try await pages.list(
                API.groups(search: names.search), from: client, json: admin.json,
                empty: names.search == nil ? "no groups" : "no such group", columns: Self.columns,
                missing: { $0.unreachable }, row: Self.row)
        }
    }

    static func row(_ group: API.Group) -> [String] {
        [
            group.group, state(group), "\(group.clientsHere)",
            "\(group.brokers.count)", Figures.count(group.inFlight), Figures.count(group.queued),
            Figures.count(group.waiting), group.oldestAt.map { Figures.age($0, now: group.countedAt) } ?? "",
            Figures.count(group.retrying), Figures.count(group.deadLetters), Figures.rate(group.delivered),
            Figures.rate(group.acknowledged),
            Figures.rate(group.failed),
        ]
    }

    /// In the words of the console.
    static func state(_ group: API.Group) -> String {
        if group.isPaused { return "paused" }
        if group.isStopped == true { return "stopped" }
        return group.brokers.isEmpty && group.clientsHere == 0 ? "away" : "here"
    }
}
