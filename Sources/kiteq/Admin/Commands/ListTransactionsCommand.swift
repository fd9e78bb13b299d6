import ArgumentParser
import Foundation
import KiteQAdminClient

/// `kiteq transactions list`
struct ListTransactionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List undecided half messages by when their publisher is asked next (the default).",
        discussion: "Those that were asked about in vain are dead letters: kiteq dead-letters list --reason undecided")

    @OptionGroup var pages: PageArguments
    @OptionGroup(title: "Administration") var admin: AdminArguments

    static let columns: [TextTable.Column] = [
        .text("MESSAGE ID"), .text("PUBLISHED"), .text("TOPIC/TYPE"), .text("PUBLISHER"), .number("ASKED"),
        .text("NEXT"), .number("SHARD"),
    ]

    func run() async throws {
        let now = Date()
        try await admin.withClient { client in
            try await pages.list(
                API.transactions(), from: client, json: admin.json, empty: "no undecided transactions",
                columns: Self.columns
            ) { Self.row($0, now: now) }
        }
    }

    static func row(_ transaction: API.Transaction, now: Date) -> [String] {
        [
            transaction.id, "\(Figures.age(transaction.publishedAt, now: now)) ago",
            "\(transaction.topic)/\(transaction.messageType)", transaction.publisherGroup, "\(transaction.checks)",
            transaction.isAskable == false ? "nobody to ask" : Figures.wait(transaction.nextCheckAt, now: now),
            "\(transaction.shard)",
        ]
    }
}
