public import Logging
import Synchronization

/// Connections to one server, made as they are needed, within limits.
///
/// `run()` must run while the pool is used: it makes the connections and closes each of them before it returns.
///
/// All connections talk to one server, which `MariaDBServers` chooses, for several pools where they share it. When it is another
/// one (a failover), the old ones are closed, and whoever waits at one of them for an answer is not left there. A server that refuses to write is left for one that does: a connection is made
/// anew then, before which all addresses are looked at, and again now and then while writes are refused. Where none takes writes
/// callers are told so, if the configuration requires writes.
public final class MariaDBPool: Sendable {
    public let configuration: MariaDBConfiguration
    private let servers: MariaDBServers
    private let logger: Logger
    private let waitTimeout: Duration
    private let state: Mutex<State>
    private let work = WorkQueue<Work>()

    private typealias Continuation = CheckedContinuation<(MariaDBConnection, isStale: Bool), any Error>

    private struct Waiter {
        let continuation: Continuation
        /// For how long it waits, for the sentence that says so.
        let limit: Duration
        /// Rings when its time is up.
        var alarm: Task<Void, Never>?
    }

    private struct State {
        var machine: PoolStateMachine
        var connections: [Int: MariaDBConnection] = [:]
        /// The server's numbers of all that are open, also of those on their way out, by the pool's.
        var threads: [Int: MariaDBThread] = [:]
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
        case shutDown
    }

    /// - Parameter servers: of the same database, where other pools use it too.
    public init(
        _ configuration: MariaDBConfiguration, pool: MariaDBPoolConfiguration = .init(),
        servers: MariaDBServers? = nil, logger: Logger
    ) {
        self.configuration = configuration
        self.servers = servers ?? MariaDBServers(configuration, logger: logger)
        self.logger = logger
        waitTimeout = pool.waitTimeout
        state = Mutex(State(machine: PoolStateMachine(PoolStateMachine.Limits(pool))))
        self.servers.observe { [weak self] change in
            self?.carryOut { state, now in
                switch change {
                case .use(let server, let isPatient): state.machine.use(server, isPatient: isPatient, now: now)
                case .met(let server): state.machine.met(server, now: now)
                case .none: state.machine.leaveAll(now: now)
                }
            }
        }
    }

    // MARK: Using

    /// Runs `body` on a connection, in one hop to its thread: whatever it does there needs no further one.
    ///
    /// - Parameter limit: to wait for a connection, where that is less than the pool's own.
    /// - Throws: what `body` throws; `MariaDBError` where no connection could be had in time, with the reason for which none
    ///   could be made; `CancellationError` where the task was cancelled while it waited.
    public func withConnection<Result: Sendable>(
        within limit: Duration? = nil, _ body: @Sendable (isolated MariaDBConnection) throws -> Result
    ) async throws -> Result {
        let connection = try await acquireLive(within: min(limit ?? waitTimeout, waitTimeout))
        let (outcome, use) = await connection.perform(body)
        release(connection, use)
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
    public var threadIDs: [UInt64] { threads.map(\.id).sorted() }

    /// The same with the server of each: behind a proxy they need not be of one.
    public var threads: [MariaDBThread] { state.withLock { Array($0.threads.values) } }

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
                    case .shutDown: self.shutDown()
                    }
                }
            } onCancel: {
                // Runs under a lock of this task, which whoever appends work under the pool's own lock takes to wake it: to take
                // the pool's here would be the wrong order.
                self.work.append(.shutDown)
            }
            tasks.cancelAll()
        }
    }

    private func tick() async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: .nanoseconds(state.withLock { $0.machine.rest(now: PoolClock.now()) }))
            } catch {
                return  // The pool is closed.
            }
            carryOut { state, now in
                if state.machine.mayHang(now: now) { servers.suspect() }
                return state.machine.tick(now: now)
            }
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
        do { try await rest(until: PoolClock.now() + after) } catch {
            carryOut { state, now in state.machine.connectFailed(id, now: now) }
            return finishIfEmpty()
        }
        do {
            let connection = try MariaDBConnection(id: id, configuration: configuration)
            let target = try await servers.target()
            do { try await connection.connect(to: target) } catch {
                servers.lost()
                throw error
            }
            let thread = await connection.thread
            do { try servers.met(thread.serverIdentity, at: target) } catch {
                await connection.close()
                throw error
            }
            carryOut { state, now in
                state.connections[id] = connection
                state.threads[id] = thread
                state.lastError = nil
                return state.machine.connected(id, identity: thread.serverIdentity, now: now)
            }
        } catch {
            let failure = error as? MariaDBError ?? MariaDBError(code: 0, message: "\(error)")
            let isFirst = state.withLock { state in
                defer { state.lastError = failure }
                state.failedConnects += 1
                return state.lastError?.message != failure.message
            }
            if isFirst {
                // Who waits for a connection is told of a refusal at once, and says so: once is enough.
                logger.log(
                    level: failure.isRefused ? .debug : .warning, "no database connection: \(failure)",
                    metadata: ["database": "\(configuration)"])
            }
            let block: PoolStateMachine.Reason? = failure.isRefused ? .refused : failure.isReadOnly ? .readOnly : nil
            carryOut { state, now in state.machine.connectFailed(id, block, now: now) }
        }
        finishIfEmpty()
    }

    /// Waits before an attempt, no longer than there is a reason to.
    private func rest(until time: Int64) async throws {
        while true {
            let left = min(time, state.withLock { $0.machine.retryAt }) - PoolClock.now()
            guard left > 0 else { return }
            try await Task.sleep(for: min(.nanoseconds(left), .milliseconds(100)))
        }
    }

    /// The server takes no writes any more: no connection to it is given out again, and all addresses are looked at.
    public func leaveServer() {
        servers.lost()
        carryOut { state, now in state.machine.leaveServer(now: now) }
    }

    private func close(_ connection: MariaDBConnection) async {
        await connection.close()
        state.withLock { $0.threads[connection.id] = nil }
    }

    // MARK: Handing out

    /// One that is not trusted is asked whether it still lives, and replaced where it does not; the caller's time goes on.
    private func acquireLive(within limit: Duration) async throws -> MariaDBConnection {
        let deadline = PoolClock.now() + limit.nanoseconds
        while true {
            let (connection, isStale) = try await acquire(until: deadline, within: limit)
            guard isStale else { return connection }
            let left = Duration.nanoseconds(max(0, deadline - PoolClock.now()))
            let (outcome, use) = await connection.perform { try $0.ping(within: left) }
            if case .success = outcome, use.condition == .usable { return connection }
            release(connection, .init(condition: .broken))
        }
    }

    private func acquire(
        until deadline: Int64, within limit: Duration
    ) async throws -> (MariaDBConnection, isStale: Bool) {
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
                    state.waiters[waiter] = Waiter(continuation: continuation, limit: limit)
                    return state.machine.acquire(waiter, until: deadline, now: now)
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) }
                setAlarm(for: waiter, at: deadline)
            }
        } onCancel: {
            carryOut { state, _ in
                if state.waiters[waiter] != nil { return state.machine.cancel(waiter) }
                state.cancelled.insert(waiter)
                return []
            }
        }
    }

    /// Who has to wait is told in time that there is no connection: it may have to tell somebody else in time.
    private func setAlarm(for waiter: Int, at deadline: Int64) {
        state.withLock { state in
            guard state.waiters[waiter] != nil else { return }
            state.waiters[waiter]?.alarm = Task { [weak self] in
                do { try await Task.sleep(for: .nanoseconds(deadline - PoolClock.now())) } catch { return }
                self?.carryOut { state, now in state.machine.tick(now: now) }
            }
        }
    }

    private func release(_ connection: MariaDBConnection, _ use: MariaDBConnection.Use) {
        carryOut { state, now in
            if let thread = state.threads[connection.id] {
                servers.used(thread.serverIdentity, writesReturn: use.writesReturn)
            }
            switch use.condition {
            case .usable: return state.machine.release(connection.id, isBroken: false, now: now)
            case .broken: return state.machine.release(connection.id, isBroken: true, now: now)
            case .refusesWrites:
                servers.lost()
                return state.machine.releaseFromReadOnly(connection.id, now: now)
            }
        }
        finishIfEmpty()
    }

    /// Asks the machine under the lock, and does what it says: resumes callers outside of the lock.
    private func carryOut(_ input: (inout State, Int64) -> [PoolStateMachine.Action]) {
        let now = PoolClock.now()
        var resumptions: [(Continuation, Swift.Result<(MariaDBConnection, isStale: Bool), any Error>)] = []
        state.withLock { state in
            for action in input(&state, now) {
                switch action {
                case .connect(let id, let after):
                    work.append(.connect(id, after: after))
                case .close(let id):
                    if let connection = state.connections.removeValue(forKey: id) {
                        work.append(.close(connection))
                    }
                case .cut(let id): state.connections[id]?.cut()
                case .give(let id, let waiter, let isStale):
                    guard let connection = state.connections[id],
                        let waiter = state.waiters.removeValue(forKey: waiter)
                    else { preconditionFailure("the pool gave out a connection that it does not have, or to nobody") }
                    waiter.alarm?.cancel()
                    resumptions.append((waiter.continuation, .success((connection, isStale))))
                case .fail(let waiter, let reason):
                    if let waiter = state.waiters.removeValue(forKey: waiter) {
                        waiter.alarm?.cancel()
                        resumptions.append((waiter.continuation, .failure(error(reason, after: waiter.limit, state))))
                    }
                }
            }
        }
        for (continuation, result) in resumptions { continuation.resume(with: result) }
    }

    private func error(
        _ reason: PoolStateMachine.Reason, after waited: Duration, _ state: borrowing State
    ) -> any Error {
        let last = state.lastError
        switch reason {
        case .cancelled: return CancellationError()
        case .closed: return MariaDBError(code: 0, message: "the connection pool is closed", isConnectionLost: true)
        case .tooManyWaiters:
            return MariaDBError(
                code: 0, message: "too many callers wait for a database connection already", isConnectionLost: true)
        case .refused, .readOnly:
            return last ?? MariaDBError(code: 0, message: "the database refuses to be connected to", isRefused: true)
        case .timedOut:
            let time = waited > .zero ? "within \(waited)" : "in no time, for none was left"
            let why =
                if let last {
                    "no database connection \(time): \(last.message)"
                } else if state.connections.isEmpty {
                    "the database took no connection \(time)"
                } else {
                    "all database connections were busy: none was free \(time)"
                }
            return MariaDBError(
                code: last?.code ?? 0, message: why, isConnectionLost: last?.isReadOnly != true,
                isRefused: last?.isRefused ?? false)
        }
    }
}
