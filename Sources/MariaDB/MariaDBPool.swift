public import Logging
import Synchronization

/// Connections to one server, made as they are needed, within limits.
///
/// `run()` must run while the pool is used: it makes the connections and closes each of them before it returns. All
/// connections talk to one server: when a new one meets another server (a failover), the old ones are closed.
public final class MariaDBPool: Sendable {
    public let configuration: MariaDBConfiguration
    private let logger: Logger
    private let waitTimeout: Duration
    private let state: Mutex<State>
    private let work = WorkQueue<Work>()

    private typealias Waiter = CheckedContinuation<(MariaDBConnection, isStale: Bool), any Error>

    private struct State {
        var machine: PoolStateMachine
        var connections: [Int: MariaDBConnection] = [:]
        /// The server's numbers of all that are open, also of those on their way out, by the pool's.
        var threads: [Int: UInt64] = [:]
        var waiters: [Int: Waiter] = [:]
        /// Cancelled before they began to wait.
        var cancelled: Set<Int> = []
        var nextWaiter = 0
        var lastError: MariaDBError?
        var failedConnects = 0
    }

    private enum Work: Sendable {
        case connect(Int, after: Int64)
        case close(MariaDBConnection)
    }

    public init(_ configuration: MariaDBConfiguration, pool: MariaDBPoolConfiguration = .init(), logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        waitTimeout = pool.waitTimeout
        state = Mutex(State(machine: PoolStateMachine(PoolStateMachine.Limits(pool))))
    }

    // MARK: Using

    /// Runs `body` on a connection, in one hop to its thread: whatever it does there needs no further one.
    ///
    /// - Throws: what `body` throws; `MariaDBError` where no connection could be had in time, with the reason for which none
    ///   could be made; `CancellationError` where the task was cancelled while it waited.
    public func withConnection<Result: Sendable>(
        _ body: @Sendable (isolated MariaDBConnection) throws -> Result
    ) async throws -> Result {
        let connection = try await acquireLive()
        let (outcome, isUsable) = await connection.perform(body)
        release(connection, isBroken: !isUsable)
        return try outcome.get()
    }

    /// `withConnection`, between BEGIN and COMMIT.
    public func withTransaction<Result: Sendable>(
        _ body: @Sendable (isolated MariaDBConnection) throws -> Result
    ) async throws -> Result {
        try await withConnection { connection in
            try connection.transaction { try body(connection) }
        }
    }

    public struct Statistics: Sendable, Hashable {
        public var open: Int
        public var idle: Int
        public var waiting: Int
        public var failedConnects: Int
    }

    public var statistics: Statistics {
        state.withLock { state in
            Statistics(
                open: state.connections.count, idle: state.machine.idleCount, waiting: state.machine.waiting,
                failedConnects: state.failedConnects)
        }
    }

    /// The server's numbers of all open connections, busy ones and those that are about to close too: what another process
    /// kills to end what this one has under way. It changes as connections come and go.
    public var threadIDs: [UInt64] { state.withLock { $0.threads.values.sorted() } }

    // MARK: Running

    /// Keeps the pool until its task is cancelled, then closes every connection.
    public func run() async {
        await withDiscardingTaskGroup { tasks in
            tasks.addTask { await self.tick() }
            carryOut { state, now in state.machine.tick(now: now) }
            await withTaskCancellationHandler {
                while let work = await self.work.next() {
                    switch work {
                    case .connect(let id, let after): tasks.addTask { await self.connect(id, after: after) }
                    case .close(let connection): tasks.addTask { await self.close(connection) }
                    }
                }
            } onCancel: {
                self.shutDown()
            }
            tasks.cancelAll()
        }
    }

    private func tick() async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: .milliseconds(100))
            } catch {
                return  // The pool is closed.
            }
            carryOut { state, now in state.machine.tick(now: now) }
        }
    }

    private func shutDown() {
        carryOut { state, _ in state.machine.close() }
        finishIfEmpty()
    }

    /// The work ends with the last connection.
    private func finishIfEmpty() {
        let isDone = state.withLock { $0.machine.isClosed && $0.machine.connections.isEmpty }
        if isDone { work.finish() }
    }

    private func connect(_ id: Int, after: Int64) async {
        if after > 0 {
            do {
                try await Task.sleep(for: .nanoseconds(after))
            } catch {
                carryOut { state, now in state.machine.connectFailed(id, now: now) }
                return finishIfEmpty()
            }
        }
        do {
            let connection = try MariaDBConnection(id: id, configuration: configuration)
            try await connection.connect()
            let (thread, identity) = await (connection.threadID, connection.serverIdentity)
            state.withLock { state in
                state.connections[id] = connection
                state.threads[id] = thread
                state.lastError = nil
            }
            carryOut { state, now in state.machine.connected(id, identity: identity, now: now) }
        } catch {
            let failure = error as? MariaDBError ?? MariaDBError(code: 0, message: "\(error)")
            let isFirst = state.withLock { state in
                defer { state.lastError = failure }
                state.failedConnects += 1
                return state.lastError?.message != failure.message
            }
            if isFirst {
                logger.warning("no database connection: \(failure)", metadata: ["database": "\(configuration)"])
            }
            carryOut { state, now in state.machine.connectFailed(id, isRefused: failure.isRefused, now: now) }
        }
        finishIfEmpty()
    }

    private func close(_ connection: MariaDBConnection) async {
        await connection.close()
        state.withLock { $0.threads[connection.id] = nil }
    }

    // MARK: Handing out

    /// One that was idle for long is asked whether it still lives, and replaced where it does not.
    private func acquireLive() async throws -> MariaDBConnection {
        while true {
            let (connection, isStale) = try await acquire()
            guard isStale else { return connection }
            let (outcome, isUsable) = await connection.perform { try $0.ping() }
            if case .success = outcome, isUsable { return connection }
            release(connection, isBroken: true)
        }
    }

    private func acquire() async throws -> (MariaDBConnection, isStale: Bool) {
        let waiter = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        defer { state.withLock { _ = $0.cancelled.remove(waiter) } }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                var isCancelled = false
                carryOut { state, now in
                    if state.cancelled.remove(waiter) != nil {
                        isCancelled = true
                        return []
                    }
                    state.waiters[waiter] = continuation
                    return state.machine.acquire(waiter, now: now)
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            carryOut { state, _ in
                if state.waiters[waiter] != nil { return state.machine.cancel(waiter) }
                state.cancelled.insert(waiter)
                return []
            }
        }
    }

    private func release(_ connection: MariaDBConnection, isBroken: Bool) {
        carryOut { state, now in state.machine.release(connection.id, isBroken: isBroken, now: now) }
        finishIfEmpty()
    }

    /// Asks the machine under the lock, and does what it says: resumes callers outside of the lock.
    private func carryOut(_ input: (inout State, Int64) -> [PoolStateMachine.Action]) {
        let now = PoolClock.now()
        var resumptions: [(Waiter, Swift.Result<(MariaDBConnection, isStale: Bool), any Error>)] = []
        state.withLock { state in
            for action in input(&state, now) {
                switch action {
                case .connect(let id, let after):
                    work.append(.connect(id, after: after))
                case .close(let id):
                    if let connection = state.connections.removeValue(forKey: id) {
                        work.append(.close(connection))
                    }
                case .give(let id, let waiter, let isStale):
                    guard let connection = state.connections[id],
                        let continuation = state.waiters.removeValue(forKey: waiter)
                    else { preconditionFailure("the pool gave out a connection that it does not have, or to nobody") }
                    resumptions.append((continuation, .success((connection, isStale))))
                case .fail(let waiter, let reason):
                    if let continuation = state.waiters.removeValue(forKey: waiter) {
                        resumptions.append((continuation, .failure(error(reason, state))))
                    }
                }
            }
        }
        for (continuation, result) in resumptions { continuation.resume(with: result) }
    }

    private func error(_ reason: PoolStateMachine.Reason, _ state: borrowing State) -> any Error {
        let last = state.lastError
        switch reason {
        case .cancelled: return CancellationError()
        case .closed: return MariaDBError(code: 0, message: "the connection pool is closed", isConnectionLost: true)
        case .tooManyWaiters:
            return MariaDBError(
                code: 0, message: "too many callers wait for a database connection already", isConnectionLost: true)
        case .refused:
            return last ?? MariaDBError(code: 0, message: "the database refuses to be connected to", isRefused: true)
        case .timedOut:
            let why =
                if let last {
                    "no database connection within \(waitTimeout): \(last.message)"
                } else if state.connections.isEmpty {
                    "the database took no connection within \(waitTimeout)"
                } else {
                    "all database connections were busy for \(waitTimeout)"
                }
            return MariaDBError(
                code: last?.code ?? 0, message: why, isConnectionLost: true, isRefused: last?.isRefused ?? false)
        }
    }
}

extension PoolStateMachine.Limits {
    init(_ pool: MariaDBPoolConfiguration) {
        self.init(
            maxConnections: max(1, pool.maxConnections),
            minConnections: max(0, min(pool.minConnections, pool.maxConnections)),
            maxWaiters: pool.maxWaiters, waitTimeout: pool.waitTimeout.nanoseconds,
            idleCheck: pool.idleCheck.nanoseconds,
            idleTimeout: pool.idleTimeout.nanoseconds, maxLifetime: pool.maxLifetime.nanoseconds,
            minBackoff: pool.minBackoff.nanoseconds, maxBackoff: pool.maxBackoff.nanoseconds)
    }
}
