import ArgumentParser
import KiteQ
import Logging

/// `kiteq publish`
struct PublishCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish",
        abstract: "Publish messages.",
        discussion: """
            Prints a line for each message once a broker has answered. Ends with status 1 where one was not taken.

              kiteq publish --brokers 127.0.0.1:13800 --topic trade --type pay-succ 'order 1001 was paid'
              kiteq publish --brokers 127.0.0.1:13800 --topic trade --type pay-succ --half --commit --count 3 hello
            """)

    @OptionGroup var client: ClientArguments
    @OptionGroup var arguments: PublishArguments

    func run() async throws {
        let logger = ProcessWide.bootstrap(try client.log())
        let configuration = try client.configuration(group: arguments.group)
        let producer = try Producer(configuration, topics: [arguments.topic], logger: logger)
        let run = PublishRun(arguments: arguments, producer: producer)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await producer.run() }
            tasks.addTask { try await run.run() }
            defer { tasks.cancelAll() }
            // The producer runs until it is cancelled: what ends first is the publishing.
            try await tasks.next()
        }
    }
}
