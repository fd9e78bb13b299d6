import KiteQCore
import LocalServers
import NIOCore
import NIOPosix

/// The load of one measurement: connections that publish and, where messages are to be delivered, as many that consume.
struct BenchLoad: Sendable {
    var connections: Int
    var publishing: BenchPublishing
    var isConsumed: Bool
    var duration: Duration
    /// Called at the start and at the end of what is measured.
    var usage: @Sendable () throws -> ProcessUsage

    /// Publishes so many messages, and returns when all are stored.
    static func publish(_ count: Int, _ publishing: BenchPublishing, connections: Int, to address: BrokerAddress)
        async throws
    {
        try await withEventLoop { eventLoop in
            var publishing = publishing
            var publishers: [BenchClient] = []
            for number in 0..<connections {
                publishing.count = count / connections + (number < count % connections ? 1 : 0)
                publishers.append(
                    try await BenchClient.connect(to: address, group: "p-bench", on: eventLoop, publishing: publishing))
            }
            for publisher in publishers { publisher.start() }
            for publisher in publishers {
                try await publisher.allAcknowledged()
                try await publisher.close()
            }
        }
    }

    private static let warmUp: Duration = .seconds(1)

    func run(against address: BrokerAddress) async throws -> BenchFigures {
        try await run(against: address) { measure in try await measure(duration) }
    }

    /// Runs `body` under the load; `measure` gives what was seen in the time that follows, each message once.
    func run<Result: Sendable>(
        against address: BrokerAddress, _ body: ((Duration) async throws -> BenchFigures) async throws -> Result
    ) async throws -> Result {
        try await withEventLoop { eventLoop in
            let fly: NIOLoopBound<FlyWindow>? =
                if publishing.isFly {
                    try await eventLoop.submit {
                        NIOLoopBound(FlyWindow(asked: publishing.outstanding * connections), eventLoop: eventLoop)
                    }.get()
                } else {
                    nil
                }
            var consumers: [BenchClient] = []
            for _ in 0..<(isConsumed ? connections : 0) {
                consumers.append(
                    try await BenchClient.connect(
                        to: address, group: BenchBroker.consumers, on: eventLoop, publishing: nil, fly: fly))
            }
            var publishers: [BenchClient] = []
            for _ in 0..<connections {
                publishers.append(
                    try await BenchClient.connect(
                        to: address, group: "p-bench", on: eventLoop, publishing: publishing, fly: fly))
            }
            for publisher in publishers { publisher.start() }
            try await Task.sleep(for: Self.warmUp)
            let clients = consumers + publishers
            let result = try await body { duration in try await measure(clients, for: duration) }
            for client in publishers { try await client.finish() }
            for client in clients { try await client.close() }
            return result
        }
    }

    private func measure(_ clients: [BenchClient], for duration: Duration) async throws -> BenchFigures {
        for client in clients { try await client.measure() }
        let (start, usageBefore) = (ContinuousClock.now, try usage())
        try await Task.sleep(for: duration)
        var measured = BenchHandler.Measured()
        for client in clients { measured.add(try await client.measured()) }
        let elapsed = ContinuousClock.now - start
        let usageAfter = try usage()
        return BenchFigures(
            measured: measured, isConsumed: isConsumed, seconds: elapsed / .seconds(1),
            cpu: usageAfter.cpu - usageBefore.cpu)
    }
}

/// Runs `body` with one event loop of its own.
func withEventLoop<Result: Sendable>(
    _ body: (any EventLoop) async throws -> Result
) async throws -> Result {
    let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    do {
        let result = try await body(eventLoops.next())
        try await eventLoops.shutdownGracefully()
        return result
    } catch {
        try await eventLoops.shutdownGracefully()
        throw error
    }
}
