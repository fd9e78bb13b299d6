import KiteQCore
import ServiceLifecycle

/// Waits until everything serves, within a limit, and then runs a body; afterwards it lasts until the graceful shutdown, or
/// ends at once where the body says so.
struct StartedService: Service {
    let started: StartSignal
    /// Zero: no limit.
    let limit: Duration
    /// Asked when the limit has passed.
    let whyNot: @Sendable () async -> String
    /// The broker's address and the administration's port; true ends the service.
    let body: @Sendable (BrokerAddress, Int) async throws -> Bool

    func run() async throws {
        // A stop while it starts is no failure: whoever waits here just goes.
        guard let (address, port) = try await cancelWhenGracefulShutdown({ try await waitForStart() }) else { return }
        if try await body(address, port) { return }
        try await gracefulShutdown()
    }

    private func waitForStart() async throws -> (BrokerAddress, Int)? {
        try await withThrowingTaskGroup(of: (BrokerAddress, Int)?.self) { tasks in
            tasks.addTask {
                for await place in started.started { return place }
                return nil
            }
            if limit > .zero {
                tasks.addTask {
                    do {
                        try await Task.sleep(for: limit)
                    } catch {
                        return nil  // It started, or it stops.
                    }
                    throw CommandError("not serving after \(DurationText.write(limit)): \(await whyNot())")
                }
            }
            defer { tasks.cancelAll() }
            return try await tasks.next() ?? nil
        }
    }
}
