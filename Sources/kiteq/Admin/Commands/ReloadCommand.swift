import ArgumentParser
import KiteQAdminClient
import KiteQCore

/// `kiteq reload`
struct ReloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Have a broker read its configuration again.",
        discussion: "All of what can change without a restart does, or nothing where the configuration is wrong.")

    @OptionGroup var reason: OptionalReasonArguments
    @OptionGroup(title: "Administration") var admin: AdminArguments

    func run() async throws {
        try await admin.show(API.reload(reason: reason.reason)) { AdminOutput.print(Self.lines($0)) }
    }

    static func lines(_ report: API.ReloadReport) -> [String] {
        if report.applied.isEmpty, report.needsRestart.isEmpty { return ["nothing changed"] }
        return report.applied.map { "applied: \(VisibleText.escaped($0))" }
            + report.needsRestart.map { "needs a restart: \(VisibleText.escaped($0))" }
    }
}
