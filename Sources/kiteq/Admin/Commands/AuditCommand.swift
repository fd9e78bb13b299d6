import ArgumentParser
import KiteQAdminClient

/// `kiteq audit`
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Show who did what, newest first.")

    @OptionGroup var pages: PageArguments
    @OptionGroup(title: "Administration") var admin: AdminArguments

    static let columns: [TextTable.Column] = [
        .text("AT"), .text("ACTOR"), .text("ROLE"), .text("FROM"), .text("ACTION"), .text("TARGET"), .text("OUTCOME"),
        .text("DETAIL"),
    ]

    func run() async throws {
        try await admin.withClient { client in
            try await pages.list(
                API.audit(), from: client, json: admin.json, empty: "nothing was done", columns: Self.columns,
                row: Self.row)
        }
    }

    static func row(_ entry: API.AuditEntry) -> [String] {
        [
            Figures.time(entry.at), entry.actor, entry.role, entry.remote, entry.action, entry.target, entry.outcome,
            entry.detail,
        ]
    }
}
