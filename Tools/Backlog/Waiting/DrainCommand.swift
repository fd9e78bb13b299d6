import ArgumentParser
import KiteQ
import KiteQCore
import Synchronization

/// Consumes a group's numbered messages, and says in what order they came. Whoever started it ends it: the last
/// acknowledgements are on their way then.
struct DrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Consume numbered messages (run by the others).", shouldDisplay: false)

    /// Printed in front of the result.
    static let mark = "drained: "

    @Option var broker: String
    @Option var group: String
    @Option var type: String
    @Option var count: Int
    @Option var shards: Int

    func run() async throws {
        let order = Mutex(ArrivalOrder(count: count, shards: shards))
        // One handler at a time: its order is that in which they come.
        let consumer = try Clients.consumer(group, type: type, at: [broker], concurrency: 1) { message in
            guard let number = message.body.string.split(separator: " ").first.flatMap({ Int($0) }),
                let id = MessageID(message.id)
            else { throw BacklogError("a message that is not numbered: \(message.id)") }
            order.withLock { $0.add(number, id) }
        }
        say("ready")
        try await Clients.running([consumer]) {
            try await until("all \(count) came", within: .seconds(3_600), every: .milliseconds(20)) {
                order.withLock { $0.isComplete }
            }
            say(Self.mark + order.withLock { $0.text })
            try await Task.sleep(for: .seconds(3_600))
        }
    }
}
