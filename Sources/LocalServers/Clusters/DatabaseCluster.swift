/// Several servers that hold the same data, of which one takes the writes at a time.
package protocol DatabaseCluster: AnyObject, Sendable {
    /// For people.
    var name: String { get }
    var nodes: [ClusterNode] { get }

    /// The node that takes the writes.
    ///
    /// - Throws: `LocalServerError` where none does.
    func writer() async throws -> ClusterNode
    /// Whether every node is there, in step, and what it is to be.
    func isWhole() async -> Bool

    /// What an orchestrator does after the writer was lost; nothing where the cluster does it by itself.
    func promote() async throws
    /// Gives the writes to another node, as planned.
    ///
    /// - Throws: `LocalServerError` where nobody decides which node that is.
    func switchWriter() async throws
    /// Starts a node that is down, and brings it back as a member.
    func restart(_ node: ClusterNode) async throws
    /// Brings a node back that runs, and was away: paused, or cut off.
    func rejoin(_ node: ClusterNode) async throws
    /// Cuts a node off from the others; clients reach all of them. Until it is healed.
    ///
    /// - Throws: `LocalServerError` where that cannot be done here.
    func isolate(_ node: ClusterNode) async throws
    func heal(_ node: ClusterNode) async throws
}

extension DatabaseCluster {
    /// Where brokers find it: all nodes, the first one first.
    package func url(user: String, password: String, shards: Int) -> String {
        ClusterAccounts.url(user: user, password: password, ports: nodes.map(\.port), shards: shards)
    }

    /// - Throws: `LocalServerError` where it is not within the limit.
    package func awaitWhole(within limit: Duration = .seconds(300)) async throws {
        try await eventually("\(name) is whole", within: limit) { await isWhole() }
    }

    package func stop() async {
        await withTaskGroup(of: Void.self) { tasks in
            for node in nodes {
                tasks.addTask {
                    node.goOn()
                    await node.stop(within: .seconds(30))
                }
            }
        }
    }
}

/// Asks until it is so.
///
/// - Throws: `LocalServerError` after the limit, with the last error of `condition` where that threw.
package func eventually(
    _ what: String, within limit: Duration, every interval: Duration = .milliseconds(100),
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while true {
        var reason = ""
        do {
            if try await condition() { return }
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            reason = ": \(error)"
        }
        if ContinuousClock.now > deadline { throw LocalServerError("not within \(limit): \(what)\(reason)") }
        try await Task.sleep(for: interval)
    }
}
