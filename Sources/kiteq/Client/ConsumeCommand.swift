import ArgumentParser
import KiteQ
import KiteQBroker
import Logging
import ServiceLifecycle
import Synchronization

/// `kiteq consume`
struct ConsumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consume",
        abstract: "Consume messages.",
        discussion: """
            Prints a line for each message, and acknowledges it then. With ZooKeeper as --registry the group's binding is \
            published first; where it has another to the topic, that \
            is left alone unless --replace is said. With --brokers or a file it must be in the registry \
            already. A broker that is lost is connected to again, until Ctrl-C.

              kiteq consume --registry zk://127.0.0.1:2181 --group s-trade --topic trade --type pay-succ
            """)

    @OptionGroup var client: ClientArguments
    @OptionGroup var arguments: ConsumeArguments

    /// Deliveries in hand, at most.
    private static let window = 64

    func run() async throws {
        let logger = ProcessWide.bootstrap(try client.log())
        let arguments = self.arguments
        let taken = ConsumedCount(limit: arguments.limit)
        if !arguments.replace, let registry = try client.registryConfiguration() {
            try await BindingCheck(registry: registry, binding: arguments.binding, logger: logger).run()
        }
        var configuration = try client.configuration(group: arguments.group)
        // To print takes no time; and what is not wanted any more is not to be in hand at the end.
        configuration.window = min(Self.window, arguments.limit ?? .max)
        let consumer = try Consumer(
            configuration, subscriptions: [arguments.subscription], concurrency: 1,
            logger: logger
        ) { message in
            let line = MessageLine(message)
            StandardOutput.print(arguments.json ? line.json : line.text)
            // Before the limit's message is acknowledged, so that no further one is begun.
            if taken.add() { try await gracefulShutdown() }
            if arguments.fail { throw CommandError("refused by kiteq consume --fail") }
        }
        let services = ServiceGroup(services: [consumer], logger: quiet(logger))
        let stop = Latch()
        try await SignalWatch.run(stop) {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    await stop.wait()
                    await services.triggerGracefulShutdown()
                }
                tasks.addTask {
                    await taken.reached.wait()
                    await services.triggerGracefulShutdown()
                }
                defer { tasks.cancelAll() }
                try await services.run()
            }
        }
    }

    private func quiet(_ logger: Logger) -> Logger {
        var logger = logger
        if logger.logLevel == .info { logger.logLevel = .warning }
        return logger
    }
}

/// Counts messages up to a limit.
final class ConsumedCount: Sendable {
    let reached = Latch()
    private let limit: Int?
    private let count = Atomic<Int>(0)

    init(limit: Int?) {
        self.limit = limit
    }

    /// Whether this was the last one wanted.
    func add() -> Bool {
        guard count.wrappingAdd(1, ordering: .relaxed).newValue == limit else { return false }
        reached.set()
        return true
    }
}
