import ArgumentParser
import Foundation
import Logging

/// Shows what takeover and backlogs cost, on servers of its own: see docs/backlog.md.
@main
struct BacklogTool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kiteq-backlog", abstract: "Show what takeover, a large backlog and steady load do to KiteQ.",
        discussion: """
            Starts a private database, ZooKeeper and brokers (the kiteq next to this program), and prints tables.

              swift build -c release --product kiteq && swift build -c release --product kiteq-backlog
              .build/release/kiteq-backlog takeover
              .build/release/kiteq-backlog waiting --messages 1000000
              .build/release/kiteq-backlog history --minutes 5
            """,
        subcommands: [
            TakeoverCommand.self, WaitingCommand.self, HistoryCommand.self, FillCommand.self, DrainCommand.self,
        ])
}

/// Why a run ends without its figures: one sentence.
struct BacklogError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// What the clients log is noise here; that of the brokers is in their files.
let quiet: Logger = {
    var logger = Logger(label: "kiteq-backlog")
    logger.logLevel = .error
    return logger
}()

/// Says on standard error how far a run is.
func progress(_ text: String) {
    FileHandle.standardError.write(Data("==> \(text)\n".utf8))
}
