import Histogram
import KiteQBroker
import KiteQCore
import KiteQWire
import NIOCore
import NIOPosix

/// The load of one measurement: connections that publish and, end to end, as many that consume.
struct BenchLoad: Sendable {
    let plan: BenchPlan
    let mode: BenchMode

    private static let warmUp: Duration = .seconds(1)

    func run(against address: BrokerAddress) async throws -> BenchFigures {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let figures = try await run(against: address, on: group)
            try await group.shutdownGracefully()
            return figures
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
    }

    private func run(against address: BrokerAddress, on group: any EventLoopGroup) async throws -> BenchFigures {
        var consumers: [BenchClient] = []
        if mode == .endToEnd {
            for _ in 0..<plan.connections {
                consumers.append(
                    try await BenchClient.connect(to: address, group: BenchBroker.consumers, on: group, publishing: nil)
                )
            }
        }
        var publishers: [BenchClient] = []
        for number in 0..<plan.connections {
            let publishing = BenchPublishing(
                number: number, outstanding: plan.outstanding, size: plan.size,
                interval: plan.rate.map { Int64(plan.connections) * 1_000_000_000 / Int64($0) },
                messageType: mode == .publish ? BenchBroker.storedType : BenchBroker.deliveredType)
            publishers.append(
                try await BenchClient.connect(to: address, group: "p-bench", on: group, publishing: publishing))
        }
        for publisher in publishers { publisher.start() }
        try await Task.sleep(for: Self.warmUp)
        let counted = mode == .publish ? publishers : consumers
        for client in counted { try await client.measure() }
        let start = ContinuousClock.now
        try await Task.sleep(for: plan.duration)
        var latency = BenchFigures.makeHistogram()
        var count = 0
        for client in counted {
            let (messages, histogram) = try await client.measured()
            count += messages
            latency.add(histogram)
        }
        let elapsed = ContinuousClock.now - start
        for client in publishers { try await client.finish() }
        for client in consumers + publishers { try await client.close() }
        return BenchFigures(count: count, seconds: elapsed / .seconds(1), latency: latency)
    }
}
