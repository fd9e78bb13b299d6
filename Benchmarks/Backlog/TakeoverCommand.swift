import ArgumentParser
import KiteQ

/// A broker that dies for good, and what the other makes of its messages.
struct TakeoverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "takeover", abstract: "Kill a broker for good, and time how the other one takes over.")

    @OptionGroup var stage: StageArguments
    @Option(help: "Messages, a quarter of them half messages.")
    var messages = 2_000
    @Option(help: "Which to run, separated by commas: absent, elsewhere, hand-over.")
    var variants = "absent,elsewhere,hand-over"

    private var chosen: [TakeoverVariant] {
        variants.split(separator: ",").compactMap { TakeoverVariant(rawValue: String($0)) }
    }

    func validate() throws {
        guard chosen.count == variants.split(separator: ",").count, !chosen.isEmpty else {
            throw ValidationError(
                "--variants is some of \(TakeoverVariant.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard messages >= 4 else { throw ValidationError("--messages is at least 4") }
    }

    func run() async throws {
        var results: [TakeoverResult] = []
        // Each on servers of its own: what one leaves behind must not help or hinder the next.
        for variant in chosen {
            try await Stage.run(stage) { stage in
                results.append(try await TakeoverRun(variant, messages: messages, stage).run())
            }
        }
        print(TakeoverResult.table(results))
        if let bad = results.first(where: { !$0.isRight }) {
            throw BacklogError("\(bad.variant.rawValue): lost, wrong or late messages")
        }
    }
}

/// Where the clients are. All messages are accepted by broker 1, from a producer that leaves then.
enum TakeoverVariant: String, CaseIterable, Sendable {
    /// The consuming group, and another producer of the publishing group, come to broker 2 after the kill.
    case absent
    /// They are connected to broker 2, and to it alone, all the time.
    case elsewhere
    /// The same, and broker 1 is not killed.
    case handOver = "hand-over"
}
