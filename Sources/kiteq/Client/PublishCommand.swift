import ArgumentParser
import Foundation
import KiteQCore
import KiteQWire
import Logging

/// `kiteq publish`
struct PublishCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish",
        abstract: "Publish messages.",
        discussion: """
            Prints a line for each message once the broker has answered. Ends with status 1 where one was refused.

              kiteq publish --brokers 127.0.0.1:13800 --topic trade --type pay-succ 'order 1001 was paid'
              kiteq publish --brokers 127.0.0.1:13800 --topic trade --type pay-succ --half --commit --count 3 hello
            """)

    @OptionGroup var client: ClientArguments
    @OptionGroup var arguments: PublishArguments

    func run() async throws {
        let logger = ProcessWide.bootstrap(try client.log())
        let secret = try client.secret()
        let discovery = BrokerDiscovery(source: try client.discovery(), logger: logger)
        let arguments = self.arguments
        try await discovery.run(topic: arguments.topic) { addresses, _ in
            let link = try await Self.connect(addresses, group: arguments.group, secret: secret)
            do {
                try await Self.publish(arguments, over: link)
            } catch {
                await link.close()
                throw error
            }
            await link.close()
        }
    }

    /// The first that takes the connection.
    private static func connect(
        _ addresses: [BrokerAddress], group: String, secret: String
    ) async throws -> BrokerLink {
        var last: (any Error)?
        for address in addresses.shuffled() {
            do {
                return try await BrokerLink.connect(to: address, group: group, secret: secret)
            } catch {
                last = error
            }
        }
        throw last ?? CommandError("there is no broker to publish to")
    }

    private static func publish(_ arguments: PublishArguments, over link: BrokerLink) async throws {
        let source = arguments.source
        let properties = try arguments.properties
        var number = 1
        var refused = 0
        while let body = source.body(number) {
            let message = OutgoingMessage(
                topic: arguments.topic, messageType: arguments.messageType, group: arguments.group, body: body,
                properties: properties, expires: arguments.expire.map { Int64(Date().timeIntervalSince1970) + Int64($0) } ?? -1,
                isHalf: arguments.half, isFly: arguments.fly)
            let ack = try await link.publish(message)
            if ack.status {
                try await end(message, arguments.ending, over: link)
                StandardOutput.print("\(message.id) \(word(arguments))")
            } else {
                refused += 1
                StandardOutput.print("\(message.id) refused: \(ack.feedback)")
            }
            number += 1
        }
        if refused > 0 { throw CommandError("\(refused) of \(number - 1) messages were refused") }
    }

    private static func end(_ message: OutgoingMessage, _ ending: HalfEnding?, over link: BrokerLink) async throws {
        switch ending {
        case .commit: try await link.settle(message, .commit)
        case .rollback: try await link.settle(message, .rollBack)
        case .forget, nil: break
        }
    }

    private static func word(_ arguments: PublishArguments) -> String {
        switch arguments.ending {
        case .commit: "stored, committed"
        case .rollback: "stored, rolled back"
        case .forget: "stored as a half message, forgotten: the broker will ask \(arguments.group)"
        case nil: arguments.fly ? "accepted, not stored" : "stored"
        }
    }
}
