import Dispatch
import KiteQCore
import Logging
import Synchronization

extension ZooKeeperRegistry {
    package func run() async throws {
        let isFirst = state.withLock { state in
            defer { if state.isRunning == nil { state.isRunning = true } }
            return state.isRunning == nil
        }
        guard isFirst else { throw RegistryError(.closed, "A registry runs once; make another.") }
        defer { finish() }
        var backoff = Backoff(initial: configuration.initialBackoff, maximum: configuration.maximumBackoff)
        while !Task.isCancelled {
            if await runSession() { backoff.reset() }
            do { try await Task.sleep(for: backoff.next()) } catch { break }
        }
    }

    /// From a new handle to its end; returns whether it was connected at all.
    private func runSession() async -> Bool {
        state.withLock { $0.beginSession() }
        guard let client = await makeClient() else { return false }
        state.withLock { $0.client = client }
        let wasConnected = await withTaskCancellationHandler {
            await follow(client)
        } onCancel: {
            // A server that has gone silent would otherwise be waited for.
            DispatchQueue.global().async { client.close() }
        }
        state.withLock { $0.client = nil }
        // Ends the session on the servers too, and with it what was announced.
        _ = await runBlocking(grace: Self.closingGrace) { client.close() }
        state.withLock { $0.session = .absent }
        return wasConnected
    }

    /// Longer than the C client takes to hand its farewell to a server that is slow: 3 seconds.
    private static let closingGrace = Duration.seconds(5)

    /// So long a new handle may be without an answer before that is said.
    private static let silence = Duration.seconds(2)

    /// Nil where it cannot be made now, and where this task is cancelled.
    private func makeClient() async -> ZooKeeperClient? {
        let made = await runBlocking(grace: .zero) { [self] in
            Result { () throws(ZooKeeperError) in
                try ZooKeeperClient(configuration: configuration) { [self] event in
                    if state.withLock({ $0.receive(event) }) { signal.yield() }
                }
            }
        } late: {
            if case .success(let client) = $0 { client.close() }
        }
        switch made {
        case .success(let client): return client
        case .failure(let error):
            warnOfAbsence(
                "ZooKeeper cannot be reached: do the names of \(configuration.servers.joined(separator: ", ")) resolve? Trying again."
            )
            logger.debug("\(error)")
            return nil
        case nil: return nil
        }
    }

    /// At most once a minute: it may be away for days.
    private func warnOfAbsence(_ line: String) {
        if absences.withLock({ $0.admit(now: .now) }) != nil { logger.warning("\(line)") }
    }

    /// Sees to what there is to do until the session is over, or this task cancelled.
    private func follow(_ client: ZooKeeperClient) async -> Bool {
        await withDiscardingTaskGroup { group in
            var wasConnected = false
            var isConnected = false
            // A handle without a connection is thrown away after a while, long after the servers that live have given its
            // session up. A new one looks the names up again. And one that has talked to a server that knew more is refused
            // by a server that lost its data, for ever: it does not even learn that its session is gone.
            let patience = configuration.sessionTimeout * 2
            var deadline = ContinuousClock.now + patience
            group.addTask { await self.signal(after: patience) }
            // Somebody may sit before it and wonder.
            let tellAt = ContinuousClock.now + Self.silence
            group.addTask { await self.signal(after: Self.silence) }
            var backoff = Backoff(initial: configuration.initialBackoff, maximum: configuration.maximumBackoff)

            signals: for await _ in signals {
                let session = state.withLock { $0.session }
                if isConnected != (session == .connected) {
                    isConnected.toggle()
                    logTransition(to: session)
                    if !isConnected {
                        deadline = .now + patience
                        group.addTask { await self.signal(after: patience) }
                    }
                }
                switch session {
                case .absent:
                    break signals
                case .dead(let reason):
                    let refused = state.withLock { state in
                        state.refusal != nil && state.refusal?.what == nil ? state.takeAllWaiters() : nil
                    }
                    guard let refused else {
                        logger.warning("ZooKeeper: \(reason). Everything is announced and watched anew.")
                        break signals
                    }
                    // Waiting is of no use to anybody, but somebody may mend it.
                    warnOfAbsence("ZooKeeper: \(reason) (registry.auth). Trying again.")
                    for waiter in refused {
                        waiter.continuation.resume(
                            throwing: RegistryError(.denied, "ZooKeeper: \(reason): check registry.auth."))
                    }
                    wasConnected = false
                    break signals
                case .disconnected:
                    if .now >= deadline || (.now >= tellAt && !wasConnected) {
                        warnOfAbsence(
                            "No server of \(configuration.servers.joined(separator: ", ")) has answered. Trying again.")
                    }
                    if .now >= deadline { break signals }
                case .connected:
                    wasConnected = true
                    if await pass(client) {
                        backoff.reset()
                    } else if state.withLock({ $0.needsRetry() }) {
                        let pause = backoff.next()
                        group.addTask {
                            await self.signal(after: pause) { self.state.withLock { $0.resumePostponed() } }
                        }
                    }
                }
            }
            group.cancelAll()
            return wasConnected
        }
    }

    private func signal(after pause: Duration, _ before: @Sendable () -> Void = {}) async {
        do { try await Task.sleep(for: pause) } catch { return }
        before()
        signal.yield()
    }

    private func logTransition(to session: ZooKeeperRegistryState.Session) {
        switch session {
        case .connected: logger.info("Connected to ZooKeeper.")
        case .disconnected:
            logger.warning("The connection to ZooKeeper is lost; bindings stay as they were. Reconnecting.")
        case .dead, .absent: break
        }
    }

    private func finish() {
        let (waiters, bindings, brokers) = state.withLock { state in
            state.isRunning = false
            state.session = .absent
            return (
                state.takeAllWaiters(), state.bindingSubscriptions.removeAll(), state.brokerSubscriptions.removeAll()
            )
        }
        for waiter in waiters {
            waiter.continuation.resume(throwing: RegistryError(.closed, "The registry is closed."))
        }
        for continuation in bindings { continuation.finish() }
        for continuation in brokers { continuation.finish() }
    }
}
