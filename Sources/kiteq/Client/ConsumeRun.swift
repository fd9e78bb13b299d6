import KiteQCore
import Synchronization

/// Consumes from every broker of a topic until the limit is reached, it is stopped, or a broker is lost.
final class ConsumeRun: Sendable {
    private let arguments: ConsumeArguments
    private let secret: String
    private let addresses: [BrokerAddress]
    private let taken = Atomic<Int>(0)
    private let links = Mutex<[BrokerLink]?>([])

    init(arguments: ConsumeArguments, secret: String, addresses: [BrokerAddress]) {
        self.arguments = arguments
        self.secret = secret
        self.addresses = addresses
    }

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for address in addresses { tasks.addTask { try await self.consume(from: address) } }
            do {
                // The first to end, by its limit or for good, ends all.
                try await tasks.next()
            } catch {
                await stop()
                throw error
            }
            await stop()
        }
    }

    /// Closes the connections: what is not acknowledged comes again.
    func stop() async {
        let open = links.withLock { links in
            defer { links = nil }
            return links ?? []
        }
        for link in open { await link.close() }
    }

    private func consume(from address: BrokerAddress) async throws {
        let link = try await BrokerLink.connect(to: address, group: arguments.group, secret: secret)
        let isWanted = links.withLock { links in
            links?.append(link)
            return links != nil
        }
        guard isWanted else { return await link.close() }
        for await event in link.events {
            guard case .delivery(let delivery) = event else { continue }
            let number = taken.wrappingAdd(1, ordering: .relaxed).newValue
            if let limit = arguments.limit, number > limit { return }
            StandardOutput.print(arguments.json ? delivery.line.json : delivery.line.text)
            try await link.acknowledge(
                delivery, status: !arguments.fail, feedback: arguments.fail ? "refused by kiteq consume --fail" : "")
            if number == arguments.limit { return }
        }
        let wasStopped = links.withLock { $0 == nil }
        if !wasStopped { throw CommandError("the broker \(address) closed the connection") }
    }
}
