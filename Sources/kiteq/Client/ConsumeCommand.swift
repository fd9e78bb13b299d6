import ArgumentParser
import KiteQCore
import Logging

/// `kiteq consume`
struct ConsumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consume",
        abstract: "Consume messages.",
        discussion: """
            Prints a line for each message, and acknowledges it then. With ZooKeeper as --registry the group's binding is \
            published first and takes the place of those it had; with --brokers or a file it must be in the registry already.

              kiteq consume --registry zk://127.0.0.1:2181 --group s-trade --topic trade --type pay-succ
            """)

    @OptionGroup var client: ClientArguments
    @OptionGroup var arguments: ConsumeArguments

    func run() async throws {
        let logger = ProcessWide.bootstrap(try client.log())
        let secret = try client.secret()
        let discovery = BrokerDiscovery(source: try client.discovery(), logger: logger)
        let arguments = self.arguments
        try await discovery.run(topic: arguments.topic) { addresses, registry in
            if let registry { try await registry.publish(bindings: [arguments.binding], of: arguments.group) }
            let (run, stop) = (ConsumeRun(arguments: arguments, secret: secret, addresses: addresses), StopRequest())
            try await SignalWatch.run(stop) {
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    tasks.addTask {
                        await stop.wait()
                        await run.stop()
                    }
                    defer { tasks.cancelAll() }
                    try await run.run()
                }
            }
        }
    }
}
