import ArgumentParser
import KiteQAdminClient

/// `kiteq drain`
struct DrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "End a broker in order: it leaves the registry, finishes what is in flight, and its process ends.",
        discussion: """
            Answers when it has begun; kiteq top shows how far it is. Clients go to the other brokers.

              kiteq drain --reason 'kernel update'
            """)

    @OptionGroup var reason: ReasonArguments
    @OptionGroup(title: "Administration") var admin: AdminArguments

    func run() async throws {
        try await admin.act(API.drain(reason: reason.reason))
    }
}
