import DequeModule

/// Decides which connections of a pool are made, given out and closed. No clock, no I/O: inputs carry `now`, in nanoseconds,
/// and return what to do.
struct PoolStateMachine {
    enum Action: Hashable {
        /// Make this connection, and report `connected` or `connectFailed`.
        case connect(Int, after: Int64)
        /// Give the waiter this connection; `isStale`: idle for so long, or beside others that broke, that it should be asked
        /// first.
        case give(Int, to: Int, isStale: Bool)
        case fail(waiter: Int, Reason)
        case close(Int)
        /// End what is under way there: it comes back broken.
        case cut(Int)
    }

    enum Reason: Hashable {
        case timedOut, tooManyWaiters, closed, cancelled
        /// The database lets nobody in, for the configuration's fault.
        case refused
        /// No server takes writes.
        case readOnly
    }

    struct Limits {
        var maxConnections: Int
        var minConnections: Int
        var maxWaiters: Int
        var waitTimeout: Int64
        var idleCheck: Int64
        var idleTimeout: Int64
        var maxLifetime: Int64
        var minBackoff: Int64
        var maxBackoff: Int64
        var maxRefusedBackoff: Int64
        /// What is under way at a server that is left for another has so long to end: a switch that was planned lets it end, a
        /// server that was cut off never answers.
        var patience: Int64
        /// What is under way for so long may hang: somebody should look whether another server has taken over.
        var suspicion: Int64
    }

    struct Connection {
        var state: State
        var since: Int64
        var born: Int64
        var identity: String
        /// When what is under way there is ended; nil where it is waited for.
        var cutAt: Int64?
    }

    enum State: Hashable {
        case connecting, idle, busy
        /// Busy, and to be closed when it comes back.
        case leaving
        /// Connecting since before another server was chosen: another one is made beside it.
        case late
    }

    let limits: Limits
    private(set) var connections: [Int: Connection] = [:]
    private var idle: [Int] = []
    private var waiters = Deque<(id: Int, deadline: Int64)>()
    private var nextID = 0
    private var failures = 0
    private(set) var retryAt: Int64 = 0
    /// Why the last attempt failed, where those that come before the next one need not wait for it.
    private var block: Reason?
    private(set) var isClosed = false

    init(_ limits: Limits) { self.limits = limits }

    var waiting: Int { waiters.count }
    var idleCount: Int { idle.count }

    /// Whether something is under way for so long that its server may be the wrong one by now.
    func mayHang(now: Int64) -> Bool {
        connections.values.contains { $0.state == .busy && now - $0.since >= limits.suspicion }
    }

    /// How long it is until the clock is to be looked at again, nanoseconds.
    func rest(now: Int64) -> Int64 {
        if !waiters.isEmpty { return Self.often }
        let used = connections.values.filter { $0.state == .busy }.map(\.since)
        // What hangs already is told of again and again.
        let hang = used.min().map { $0 + limits.suspicion - now } ?? Self.seldom
        return min(Self.seldom, max(Self.often, hang))
    }

    private static let often: Int64 = 100_000_000
    private static let seldom: Int64 = 500_000_000

    /// Connections of another server than the newest one's are on their way out: failover closes them all.
    private var identity = ""
    /// Attempts to find one that does, and when the next is due.
    private var looks = 0
    private var lookAt: Int64 = 0
    /// When a connection broke last: what was idle then may have gone with it.
    private var brokeAt = Int64.min

    // MARK: Inputs

    /// - Parameter deadline: a whole wait from now on unless it is given.
    mutating func acquire(_ waiter: Int, until deadline: Int64? = nil, now: Int64) -> [Action] {
        if isClosed { return [.fail(waiter: waiter, .closed)] }
        guard waiters.count < limits.maxWaiters else { return [.fail(waiter: waiter, .tooManyWaiters)] }
        let deadline = deadline ?? now + limits.waitTimeout
        guard deadline > now else { return [.fail(waiter: waiter, .timedOut)] }
        if let block, now < retryAt, isBlocked(by: block) { return [.fail(waiter: waiter, block)] }
        // One that comes again, because what it was given was dead, has its place before those that came later.
        let later = waiters.lastIndex { $0.deadline <= deadline }.map { $0 + 1 } ?? 0
        waiters.insert((waiter, deadline), at: later)
        return serve(now)
    }

    mutating func cancel(_ waiter: Int) -> [Action] {
        guard let index = waiters.firstIndex(where: { $0.id == waiter }) else { return [] }
        waiters.remove(at: index)
        return [.fail(waiter: waiter, .cancelled)]
    }

    mutating func connected(_ id: Int, identity newIdentity: String, now: Int64) -> [Action] {
        (failures, retryAt, block) = (0, 0, nil)
        let isTooMany = connections[id]?.state == .late && counted >= limits.maxConnections
        guard !isClosed, !isTooMany else {
            connections[id] = nil
            return [.close(id)]
        }
        let actions = leaveOthers(than: newIdentity)
        connections[id] = Connection(state: .idle, since: now, born: now, identity: newIdentity)
        idle.append(id)
        return actions + serve(now)
    }

    /// - Parameter reason: nil, or `refused` or `readOnly`. Waiting does not help then: where no other connection is open, those
    ///   that wait are told so, and those that come before the next attempt.
    mutating func connectFailed(_ id: Int, _ reason: Reason? = nil, now: Int64) -> [Action] {
        let isLate = connections.removeValue(forKey: id)?.state == .late
        // That says nothing of the server that is used.
        if isLate { return isClosed ? [] : serve(now) }
        failures += 1
        block = reason
        retryAt = now + (reason == .refused ? refusedBackoff(failures) : backoff(failures))
        guard !isClosed else { return [] }
        var actions: [Action] = []
        // Open ones stay, also where only replicas answered: they may lead to a primary that a proxy has lost sight of.
        if let reason, isBlocked(by: reason) {
            actions += waiters.map { .fail(waiter: $0.id, reason) }
            waiters.removeAll()
        }
        return actions + serve(now)
    }

    /// The server is known to take no writes: its connections are closed, busy ones when they come back.
    mutating func leaveServer(now: Int64) -> [Action] {
        let actions = leave { _ in true }
        return actions + (isClosed ? [] : serve(now))
    }

    /// This server was chosen, so there is no reason to wait before the next attempt. Connections to another one are closed, busy
    /// ones when they come back or the patience with them is over; at once where there is none to be had.
    mutating func use(_ server: String, isPatient: Bool = true, now: Int64) -> [Action] {
        if server != identity && !identity.isEmpty {
            for (id, connection) in connections where connection.state == .connecting { connections[id]?.state = .late }
        }
        let actions = met(server, now: now)
        for (id, connection) in connections where connection.state == .leaving && connection.cutAt == nil {
            connections[id]?.cutAt = now + (isPatient ? limits.patience : 0)
        }
        return actions + cutOverdue(now)
    }

    /// This server was found where another one was: there may be a proxy, which leads to many. Connections to another one are
    /// closed, busy ones when they come back.
    mutating func met(_ server: String, now: Int64) -> [Action] {
        (failures, retryAt, block) = (0, 0, nil)
        let actions = leaveOthers(than: server)
        return actions + (isClosed ? [] : serve(now))
    }

    /// None is used any more.
    mutating func leaveAll(now: Int64) -> [Action] {
        let actions = leaveOthers(than: "")
        return actions + (isClosed ? [] : serve(now))
    }

    private mutating func leaveOthers(than server: String) -> [Action] {
        identity = server
        return leave { $0.identity != server }
    }

    mutating func release(_ id: Int, isBroken: Bool, now: Int64) -> [Action] {
        guard let connection = connections[id] else { return [] }
        if isBroken && connection.state != .leaving { brokeAt = now }
        if isBroken || isClosed || connection.state == .leaving || now - connection.born >= limits.maxLifetime {
            connections[id] = nil
            return [.close(id)] + (isClosed ? [] : serve(now))
        }
        connections[id]?.state = .idle
        connections[id]?.since = now
        idle.append(id)
        return serve(now)
    }

    /// Like `release`, of one whose server refused to write: now and then it is replaced by a new one, which may meet another
    /// server, or the same one turned writable.
    mutating func releaseFromReadOnly(_ id: Int, now: Int64) -> [Action] {
        guard let connection = connections[id], connection.state != .leaving, !isClosed else {
            return release(id, isBroken: false, now: now)
        }
        guard now >= lookAt else { return release(id, isBroken: false, now: now) }
        looks = now - lookAt > limits.maxBackoff ? 1 : looks + 1
        lookAt = now + backoff(looks)
        connections[id] = nil
        var actions: [Action] = [.close(id)]
        // Even where others are idle: those are to the same server.
        if !connections.values.contains(where: { $0.state == .connecting }) { actions.append(connect(now)) }
        return actions + serve(now)
    }

    /// Time has passed.
    mutating func tick(now: Int64) -> [Action] {
        var actions: [Action] = []
        while let first = waiters.first, first.deadline <= now {
            waiters.removeFirst()
            actions.append(.fail(waiter: first.id, .timedOut))
        }
        actions += cutOverdue(now)
        idle.removeAll { id in
            guard let connection = connections[id] else { return true }
            let isOld = now - connection.born >= limits.maxLifetime
            guard isOld || now - connection.since >= limits.idleTimeout else { return false }
            connections[id] = nil
            actions.append(.close(id))
            return true
        }
        return actions + (isClosed ? [] : serve(now))
    }

    /// No new callers; those that wait fail, idle connections close, busy ones when they come back.
    mutating func close() -> [Action] {
        isClosed = true
        var actions: [Action] = waiters.map { .fail(waiter: $0.id, .closed) }
        waiters.removeAll()
        for id in idle {
            connections[id] = nil
            actions.append(.close(id))
        }
        idle = []
        return actions
    }

    // MARK: Rules

    /// Whether it makes no sense to wait for a connection that is in use: where no server takes writes any more, that one leads to
    /// a server which does not either.
    private func isBlocked(by reason: Reason) -> Bool {
        idle.isEmpty && (reason == .readOnly || !hasOpenConnections)
    }

    private var hasOpenConnections: Bool { connections.values.contains { $0.state == .idle || $0.state == .busy } }

    /// Those that are late lead elsewhere.
    private var counted: Int { connections.values.count { $0.state != .late } }

    private func backoff(_ attempts: Int) -> Int64 {
        min(limits.maxBackoff, limits.minBackoff << Int64(min(attempts - 1, 20)))
    }

    /// Somebody has to act before it helps to try again: it begins where the others end.
    private func refusedBackoff(_ attempts: Int) -> Int64 {
        min(limits.maxRefusedBackoff, (limits.maxBackoff / 2) << Int64(min(attempts - 1, 20)))
    }

    private mutating func connect(_ now: Int64) -> Action {
        nextID += 1
        connections[nextID] = Connection(state: .connecting, since: now, born: now, identity: "")
        return .connect(nextID, after: max(0, retryAt - now))
    }

    private mutating func leave(_ isLeft: (Connection) -> Bool) -> [Action] {
        var actions: [Action] = []
        for (id, connection) in connections.sorted(by: { $0.key < $1.key }) where isLeft(connection) {
            switch connection.state {
            case .idle:
                connections[id] = nil
                actions.append(.close(id))
            case .busy: connections[id]?.state = .leaving
            case .connecting, .leaving, .late: break
            }
        }
        idle.removeAll { connections[$0] == nil }
        return actions
    }

    private mutating func cutOverdue(_ now: Int64) -> [Action] {
        let overdue = connections.filter { ($0.value.cutAt ?? .max) <= now && $0.value.identity != identity }.keys
            .sorted()
        // Once: what it does after that is the connection's own.
        for id in overdue { connections[id]?.cutAt = .max }
        return overdue.map { .cut($0) }
    }

    private mutating func serve(_ now: Int64) -> [Action] {
        var actions: [Action] = []
        while !waiters.isEmpty, let id = idle.popLast() {
            let waiter = waiters.removeFirst()
            let since = connections[id]?.since ?? now
            let isStale = now - since >= limits.idleCheck || since <= brokeAt
            connections[id]?.state = .busy
            connections[id]?.since = now
            actions.append(.give(id, to: waiter.id, isStale: isStale))
        }
        let connecting = connections.values.count { $0.state == .connecting }
        let wanted = max(waiters.count, limits.minConnections - (counted - connecting))
        // After a failure one attempt at a time, or a server that comes back is met by a stampede.
        let allowed = failures > 0 ? 1 : limits.maxConnections
        var missing = min(wanted, allowed) - connecting
        missing = min(missing, limits.maxConnections - counted)
        while missing > 0 {
            missing -= 1
            actions.append(connect(now))
        }
        return actions
    }
}
