import ArgumentParser
import Foundation
import KiteQAdminClient

/// `kiteq shards`
struct ShardsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shards",
        abstract: "Show the store's shards: what waits in them, and how they answer.",
        discussion: """
            ROWS and SIZE are the server's estimates. HISTORY is InnoDB's history list length, where the broker's user may see \
            it. POOL is this broker's connections: open, idle, and statements that wait for one.
            """)

    @OptionGroup(title: "Administration") var admin: AdminArguments

    func run() async throws {
        try await admin.show(API.shards()) { AdminOutput.print(Self.table($0)) }
    }

    static func table(_ list: API.ShardList) -> TextTable {
        var table = TextTable([
            .number("SHARD"), .text("SERVER"), .text("DATABASE"), .number("ANSWER"), .number("HALF"), .number("FRESH"),
            .number("TRACKED"), .number("DEAD"), .number("OLDEST"), .number("ROWS"), .number("SIZE"),
            .number("HISTORY"), .text("POOL"), .number("UNFLUSHED"), .text("STATE"),
        ])
        for shard in list.items {
            let pool = shard.pool.map { "\($0.open) \($0.idle) \($0.waiting)" }
            table.add([
                "\(shard.shard)", shard.server ?? "", shard.database ?? "",
                shard.answerTime.map { Figures.duration(seconds: $0) } ?? "",
                shard.counts.map { Figures.count($0.half) } ?? "", shard.counts.map { Figures.count($0.fresh) } ?? "",
                shard.counts.map { Figures.count($0.tracked) } ?? "", shard.deadLetters.map(Figures.count) ?? "",
                shard.oldestAt.map { Figures.age($0, now: list.at) } ?? "",
                shard.estimatedRows.map { Figures.count($0) } ?? "", shard.bytes.map(Figures.bytes) ?? "",
                shard.historyListLength.map { Figures.count($0) } ?? "", pool ?? "",
                shard.unflushed.map { Figures.count($0) } ?? "",
                shard.isReachable ? "ok" : "away: \(shard.reason ?? "it does not answer")",
            ])
        }
        return table
    }
}
