import LocalServers
import Synchronization

/// Writes to a cluster itself several times a second, as a client would that knows at any moment who takes the writes: what a broker cannot
/// be better than.
final class ClusterProbe: Sendable {
    private static let interval: Duration = .milliseconds(200)
    private static let limit: Duration = .seconds(3)

    private let cluster: any DatabaseCluster
    private let history: History
    private let times = Mutex<[UInt32]>([])

    init(_ cluster: any DatabaseCluster, _ history: History) {
        self.cluster = cluster
        self.history = history
    }

    /// Writes until its task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { tasks in
            for node in cluster.nodes { tasks.addTask { await self.run(node) } }
        }
    }

    private func run(_ node: ClusterNode) async {
        var number = 0
        while !Task.isCancelled {
            number += 1
            if await isWanted(node), await write(number, to: node) { times.withLock { $0.append(history.now) } }
            do {
                try await Task.sleep(for: Self.interval)
            } catch {
                return  // The run is over.
            }
        }
    }

    /// Where the writer is chosen outside, what another one takes is worth nothing.
    private func isWanted(_ node: ClusterNode) async -> Bool {
        guard node.isRunning else { return false }
        guard let pair = cluster as? LocalPair else { return true }
        return pair.primary === node
    }

    private func write(_ number: Int, to node: ClusterNode) async -> Bool {
        do {
            try await node.run(
                "REPLACE INTO \(ClusterAccounts.probeDatabase).beat VALUES (\(node.number), \(number))",
                user: ClusterAccounts.probe, password: ClusterAccounts.probePassword, within: Self.limit)
            return true
        } catch {
            return false  // Not the writer, or away: that is what is to be seen.
        }
    }

    /// The longest time in which nobody could have written.
    func gap(from start: UInt32, to end: UInt32) -> UInt32 {
        Gaps.longest(times.withLock { $0 }, from: start, to: end)
    }
}
