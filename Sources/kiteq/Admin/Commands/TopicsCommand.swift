import ArgumentParser
import KiteQAdminClient

/// `kiteq topics`
struct TopicsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topics",
        abstract: "Show the topics: rates at this broker, and what is undone in the store.")

    @OptionGroup var names: SearchArguments
    @OptionGroup(title: "Administration") var admin: AdminArguments

    func run() async throws {
        try await admin.show(API.topics(search: names.search)) { list in
            let empty = names.search == nil ? "no topics" : "no such topic"
            if list.items.isEmpty { StandardOutput.print(empty) } else { AdminOutput.print(Self.table(list)) }
            if !list.isExact {
                StandardOutput.print(
                    "counted \(Figures.time(list.countedAt)): \(Figures.count(list.counted)) rows, the oldest and the newest of each shard"
                )
            }
            try AdminOutput.check(list.unreachable)
        }
    }

    static func table(_ list: API.TopicList) -> TextTable {
        var table = TextTable([
            .text("TOPIC"), .text("SERVED"), .number("PUBLISHED/s"), .number("DELIVERED/s"), .number("ACKED/s"),
            .number("PUBLISHED"), .number("HALF"), .number("FRESH"), .number("TRACKED"),
        ])
        for topic in list.items {
            table.add([
                topic.topic, topic.isServed ? "yes" : "no", Figures.rate(topic.published),
                Figures.rate(topic.delivered), Figures.rate(topic.acknowledged), Figures.count(topic.total),
                Figures.count(topic.half), Figures.count(topic.fresh), Figures.count(topic.tracked),
            ])
        }
        return table
    }
}
