import ArgumentParser
import KiteQ
import KiteQCore
import Synchronization

/// Consumes a group's numbered messages to the last, and checks their order.
struct DrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Consume numbered messages (run by the others).", shouldDisplay: false)

    @Option var brokers: String
    @Option var group: String
    @Option var type: String
    @Option var count: Int
    @Option var shards: Int

    func run() async throws {
        let order = Mutex(ArrivalOrder(count: count, shards: shards))
        let configuration = Clients.configuration(group, brokers.split(separator: ",").map(String.init))
        let consumer = try Consumer(
            configuration, subscriptions: [.init(topic: Stage.topic, .messageType(type))], concurrency: 1,
            logger: quiet
        ) { message in
            // One handler at a time: this is the order in which they came.
            guard let number = message.body.string.split(separator: " ").first.flatMap({ Int($0) }),
                let id = MessageID(message.id)
            else { throw BacklogError("a message that is not numbered: \(message.id)") }
            order.withLock { $0.add(number, id) }
        }
        print("ready")
        let start = ContinuousClock.now
        try await Clients.running([consumer]) {
            try await Clients.until("all \(count) came", within: .seconds(3_600), every: .milliseconds(20)) {
                order.withLock { $0.isComplete }
            }
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            print(order.withLock { $0.line(seconds: seconds) })
            // The last acknowledgements are on their way: whoever started this waits for the tables, then ends it.
            try await Task.sleep(for: .seconds(600))
        }
    }
}
