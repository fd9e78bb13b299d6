import ArgumentParser
import Foundation
import KiteQAdminClient

/// `kiteq messages search`
struct SearchMessagesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Search the messages that are not done.",
        discussion: """
              kiteq messages search --group s-trade --older-than 1h
              kiteq messages search --topic trade --newest --limit 5
            """)

    /// As the API calls them.
    enum State: String, CaseIterable, ExpressibleByArgument {
        case half
        case fresh
        case tracked
    }

    @Option(help: "Of this topic.")
    var topic: String?

    @Option(help: "Of this message type.")
    var type: String?

    @Option(help: "Owed to this group.")
    var group: String?

    @Option(
        help: "half (not committed), fresh (owed to all its groups), or tracked (each group has a state of its own).")
    var state: State?

    @OptionGroup var ages: AgeArguments

    @Flag(help: "Newest first.")
    var newest = false

    @OptionGroup var pages: PageArguments
    @OptionGroup(title: "Administration") var admin: AdminArguments

    static let columns: [TextTable.Column] = [
        .text("MESSAGE ID"), .text("ACCEPTED"), .text("TOPIC/TYPE"), .text("STATE"), .text("PUBLISHER"),
        .number("SHARD"), .text("EXPIRES"),
    ]

    func validate() throws {
        for (name, flag) in [(topic, "--topic"), (type, "--type"), (group, "--group")] {
            if let name { try ClientArguments.check(name, flag) }
        }
        if group != nil, state == .half {
            throw ValidationError("A half message is owed to no group yet: leave out --group.")
        }
    }

    func run() async throws {
        let now = Date()
        try await admin.withClient { client in
            try await pages.list(
                API.messages(filter(ages.times(client))), from: client, json: admin.json,
                empty: "no messages", columns: Self.columns
            ) { Self.row($0, now: now) }
        }
    }

    func filter(_ times: (from: Date?, before: Date?)) -> API.MessageFilter {
        var filter = API.MessageFilter()
        (filter.topic, filter.type, filter.group, filter.state) = (topic, type, group, state?.rawValue)
        (filter.from, filter.before) = times
        filter.isNewestFirst = newest
        return filter
    }

    static func row(_ message: API.Message, now: Date) -> [String] {
        [
            message.id, Figures.time(message.acceptedAt), "\(message.topic)/\(message.messageType)", message.state,
            message.publisherGroup, "\(message.shard)",
            message.expiresAt.map { Figures.wait($0, now: now) } ?? "",
        ]
    }
}
