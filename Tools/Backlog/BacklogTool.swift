import ArgumentParser
import Foundation
import Logging

/// Shows what takeover, a large backlog and a steady load do: see docs/backlog.md.
@main
struct BacklogTool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kiteq-backlog", abstract: "Show what takeover, a large backlog and steady load do to KiteQ.",
        discussion: """
            Starts private databases and brokers (the kiteq next to this program), and prints tables.
            """,
        subcommands: [
            TakeoverCommand.self, WaitingCommand.self, StatementsCommand.self, HistoryCommand.self, FillCommand.self,
            DrainCommand.self,
        ])
}

/// Why a run ends without its figures, or with some that miss their target: one sentence.
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

/// Prints a line at once: print() keeps what does not go to a terminal.
func say(_ text: String) {
    FileHandle.standardOutput.write(Data("\(text)\n".utf8))
}

/// Says on standard error how far a run is.
func progress(_ text: String) {
    FileHandle.standardError.write(Data("==> \(text)\n".utf8))
}

/// Looks again and again until it is so.
/// - Throws: `BacklogError` at the deadline.
func until(
    _ what: String, within limit: Duration, every interval: Duration = .milliseconds(50),
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw BacklogError("after \(limit) still not so: \(what)") }
        try await Task.sleep(for: interval)
    }
}

extension Double {
    /// Two digits after the point.
    var text: String {
        let hundredths = Int((self * 100).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}

extension Duration {
    var seconds: Double { self / .seconds(1) }
}

extension [Double] {
    /// The value that this share of all is at or below; 0 of none.
    func percentile(_ share: Double) -> Double {
        isEmpty ? 0 : sorted()[Swift.min(count - 1, Int(Double(count) * share))]
    }
}
