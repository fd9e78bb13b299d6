public import Logging
import Synchronization

/// The servers of one database, and which of them is used. Pools that share it have connections to the same server, and leave it
/// together.
///
/// Where there is one address whatever answers there is used. Where there are several, all of them are looked at before
/// one is chosen, and while `run()` runs every ten seconds, once a second while something is under way for longer than that, and
/// four times a second while something is amiss.
public final class MariaDBServers: Sendable {
    public typealias Witnesses = @Sendable (isolated MariaDBConnection) throws -> [ServerWitness]

    /// Which server connections should be to, by its identity.
    enum Change: Sendable {
        /// This one was chosen. `isPatient`: what is under way at the one before it may still end there.
        case use(String, isPatient: Bool)
        /// This one was found at the address that is used.
        case met(String)
        /// There is none.
        case none
    }

    typealias Observer = @Sendable (Change) -> Void

    let configuration: MariaDBConfiguration
    /// What a look connects with: it waits no longer than it must.
    private let quick: MariaDBConfiguration
    private let witnesses: Witnesses?
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        var choice = ServerChoice()
        /// The look under way: who needs one while it is, has its verdict.
        var look: Task<ServerChoice.Verdict, Never>?
        /// Nil before the first look has ended.
        var lookedAt: Int64?
        /// Something may hang, said since the last look.
        var isSuspected = false
        var toldConflict: String?
        /// The last look found none.
        var hadNone = false
        var observers: [Observer] = []

        var isAmiss: Bool { isSuspected || choice.isInDoubt }
    }

    private static let interval: Duration = .seconds(10)
    private static let intervalSuspected: Duration = .seconds(1)
    private static let intervalInDoubt: Duration = .milliseconds(250)
    private static let pulse: Duration = .milliseconds(100)
    /// How long a server that is suspected has to answer once another one says that it has succeeded.
    private static let grace: Duration = .milliseconds(300)

    /// - Parameter witnesses: reads from a server which processes say there that they live, and where they work.
    public init(_ configuration: MariaDBConfiguration, witnesses: Witnesses? = nil, logger: Logger) {
        self.configuration = configuration
        self.witnesses = witnesses
        self.logger = logger
        var quick = configuration
        // The least that the connector knows is a second.
        quick.connectTimeout = min(quick.connectTimeout, .seconds(1))
        quick.readTimeout = min(quick.readTimeout, .seconds(2))
        quick.writeTimeout = min(quick.writeTimeout, .seconds(2))
        self.quick = quick
    }

    /// Two servers that take writes and are no cluster, in a sentence; nil while there are none.
    public var conflict: String? { state.withLock { $0.choice.conflict } }

    // MARK: Running

    /// Looks now and then, until its task is cancelled. Without it a look is made where a connection is, and the last one failed.
    public func run() async {
        guard configuration.servers.count > 1 else { return }
        while !Task.isCancelled {
            do { try await Task.sleep(for: Self.pulse) } catch { return }
            let isDue = state.withLock { state in
                let interval =
                    state.choice.isInDoubt
                    ? Self.intervalInDoubt : state.isSuspected ? Self.intervalSuspected : Self.interval
                return state.lookedAt.map { PoolClock.now() - $0 >= interval.nanoseconds } ?? true
            }
            if isDue { _ = await look() }
        }
    }

    // MARK: For pools

    /// The rank of this process among the witnesses, once it has one.
    public func setRank(_ rank: Int64) { state.withLock { $0.choice.ownRank = rank } }

    /// Calls back whenever another server is used, and when one is after there was none.
    func observe(_ observer: @escaping Observer) {
        state.withLock { $0.observers.append(observer) }
    }

    /// Where to connect to.
    /// - Throws: `MariaDBError` where no address would do.
    func target() async throws -> MariaDBConfiguration.Server {
        if configuration.servers.count == 1 { return configuration.servers[0] }
        let known = state.withLock { $0.choice.isInDoubt ? nil : $0.choice.current }
        if let known { return known.address }
        switch await look() {
        case .use(let server): return server.address
        case .none(let error): throw error
        }
    }

    /// A connection was made.
    /// - Throws: `MariaDBError` where another server has been chosen meanwhile: it is of no use.
    func met(_ identity: String, at address: MariaDBConfiguration.Server) throws {
        let server = ServerChoice.Server(address: address, identity: identity)
        let (meeting, observers) = state.withLock { ($0.choice.met(server), $0.observers) }
        switch meeting {
        case .same: break
        case .other:
            noteTakeover(by: server)
            for observer in observers { observer(.met(identity)) }
        case .late:
            throw MariaDBError(
                code: 0, message: "another server than \(address) is used meanwhile", isConnectionLost: true)
        }
    }

    /// No connection could be made, or its server takes no writes any more.
    func lost() { state.withLock { $0.choice.lost() } }

    /// Something is under way for long: it may be at a server that hangs, such as a primary that stops and has left its group.
    func suspect() {
        guard configuration.servers.count > 1 else { return }
        state.withLock { $0.isSuspected = true }
    }

    func used(_ identity: String, writesReturn: Bool?) {
        // With one address there is nothing to choose by it.
        guard writesReturn != nil, configuration.servers.count > 1 else { return }
        state.withLock { $0.choice.used(identity, writesReturn: writesReturn, now: PoolClock.now()) }
    }

    // MARK: Looking

    private func look() async -> ServerChoice.Verdict {
        let task = state.withLock { state in
            if let look = state.look { return look }
            // Awaited by whoever needs it: a cancelled one must not end the look of the others.
            let look = Task { await self.lookAtAll() }
            state.look = look
            return look
        }
        return await task.value
    }

    private func lookAtAll() async -> ServerChoice.Verdict {
        let sights = await sights()
        let now = PoolClock.now()
        let (verdict, observers, before, conflict) = state.withLock { state in
            let before = state.choice.current
            let isSuspicion = state.isSuspected && !state.choice.isInDoubt
            let verdict =
                configuration.requiresWrites
                ? state.choice.looked(sights, isSuspicion: isSuspicion, now: now)
                : state.choice.lookedForReading(sights, now: now)
            (state.look, state.lookedAt, state.isSuspected) = (nil, now, false)
            let conflict = state.choice.conflict
            defer { state.toldConflict = conflict }
            let current = state.choice.current
            let hasServer = if case .use = verdict { true } else { false }
            let isTold = hasServer ? before?.identity != current?.identity || state.hadNone : conflict != nil
            state.hadNone = !hasServer
            return (verdict, isTold ? state.observers : [], before, conflict == state.toldConflict ? nil : conflict)
        }
        if let conflict { logger.critical("\(conflict)", metadata: ["database": "\(configuration)"]) }
        guard case .use(let server) = verdict else {
            // Open ones stay where none is fit: they may lead to a primary that a proxy has lost sight of. Of two primaries not.
            for observer in observers { observer(.none) }
            return verdict
        }
        if let before, before.identity != server.identity { noteTakeover(by: server) }
        let isPatient = before.map { !ServerChoice.isAway($0, sights) } ?? true
        for observer in observers { observer(.use(server.identity, isPatient: isPatient)) }
        return verdict
    }

    /// What is found at all addresses, side by side, in their order. Where something is amiss already and one answers that has
    /// succeeded, the rest is not waited for to the end of its time: a server that was stopped never says anything.
    private func sights() async -> [ServerSight] {
        let (found, continuation) = AsyncStream.makeStream(of: (place: Int, sight: ServerSight)?.self)
        for (place, address) in configuration.servers.enumerated() {
            Task { continuation.yield((place, await self.sight(of: address))) }
        }
        var sights = configuration.servers.map { address in
            ServerSight(
                address: address,
                state: .away(
                    MariaDBError(code: 2013, message: "\(address) does not answer, and another server has taken over")))
        }
        var missing = Set(sights.indices)
        var grace: Task<Void, Never>?
        var arrivals = found.makeAsyncIterator()
        // Of no address at all none arrives.
        while !missing.isEmpty {
            guard let (place, sight) = await arrivals.next() ?? nil else { break }
            sights[place] = sight
            missing.remove(place)
            let isSucceeded = state.withLock { state in
                state.isAmiss && state.choice.isSucceeded(by: sight)
                    && missing.contains { sights[$0].address == state.choice.current?.address }
            }
            if grace == nil, isSucceeded {
                grace = Task {
                    do { try await Task.sleep(for: Self.grace) } catch { return }
                    continuation.yield(nil)
                }
            }
        }
        grace?.cancel()
        return sights
    }

    private func sight(of address: MariaDBConfiguration.Server) async -> ServerSight {
        do {
            return try await MariaDBConnection(id: 0, configuration: quick).look(at: address, witnesses)
        } catch {
            let failure = error as? MariaDBError ?? MariaDBError(code: 2008, message: "\(error)")
            return ServerSight(address: address, state: .away(failure))
        }
    }

    private func noteTakeover(by server: ServerChoice.Server) {
        logger.notice(
            "another database server has taken over",
            metadata: ["database": "\(configuration)", "address": "\(server.address)"])
    }
}
