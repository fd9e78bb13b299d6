/// Which of a database's servers is used: one for all connections of a process. No clock, no I/O: inputs carry `now`, in
/// nanoseconds.
///
/// - A server is fit that takes writes, and is heard by its cluster.
/// - One that does not answer a look, while its writes have returned lately, is busy, and stays; but not in a cluster with one writer
///   of which another member says that it is that: it was succeeded.
/// - One whose commits were left without an answer comes after all others until one is answered, or a minute has passed: a
///   primary that was cut off calls itself writable.
/// - Where several are fit and are members of one cluster that may have several writers, all processes take the same, so that one
///   writer stays one: the one at which the witness of the smallest rank is.
/// - Where several are fit and are no such cluster, two primaries go their own ways, and what is written to one of them is going
///   to be lost. One is taken only if other processes that live are at it, and at no other; else none is, until
///   somebody ends that.
struct ServerChoice: Sendable {
    struct Server: Sendable, Hashable {
        var address: MariaDBConfiguration.Server
        var identity: String
    }

    enum Meeting: Sendable {
        case same, other
        /// Another server has been chosen since this connection was begun.
        case late
    }

    enum Verdict: Sendable {
        case use(Server)
        /// Why there is none.
        case none(MariaDBError)
    }

    /// How long a commit that was left without an answer counts against its server, nanoseconds.
    static let memory: Int64 = 60_000_000_000
    /// For how long an answered write says that a server is there, whatever a look at it met, nanoseconds.
    static let trust: Int64 = 3_000_000_000

    /// The rank of this process among the witnesses; 0 while it has none.
    var ownRank: Int64 = 0
    /// Where connections lead; it stays while none is fit. Nil before the first, and while two are in each other's way.
    private(set) var current: Server?
    /// Two that take writes and are no cluster, in a sentence.
    private(set) var conflict: String?
    private var cluster: MariaDBCluster?
    private var wroteAt = Int64.min
    /// When commits of each server were last left without an answer.
    private var silent: [String: Int64] = [:]

    /// Whether somebody should look at the servers soon: it may have to be another one.
    private(set) var isInDoubt = true

    // MARK: Inputs

    /// A connection was made. Whatever is found at the address that is used is the server now: a proxy leads elsewhere.
    mutating func met(_ server: Server) -> Meeting {
        guard let before = current else {
            current = server
            return .same
        }
        guard before.identity != server.identity else { return .same }
        guard before.address == server.address else { return .late }
        current = server
        wroteAt = .min
        return .other
    }

    /// A use of a connection to this server ended.
    /// - Parameter writesReturn: whether its last write was answered; false where the time for the answer was over; nil where it
    ///   made none.
    mutating func used(_ identity: String, writesReturn: Bool?, now: Int64) {
        guard let writesReturn else { return }
        if writesReturn {
            if identity == current?.identity { wroteAt = now }
            if silent.removeValue(forKey: identity) != nil, identity == current?.identity { isInDoubt = false }
        } else {
            silent[identity] = now
            if identity == current?.identity { isInDoubt = true }
        }
    }

    /// No connection could be made, or its server says that it takes no writes any more.
    mutating func lost() {
        wroteAt = .min
        isInDoubt = true
    }

    /// All addresses were looked at.
    ///
    /// - Parameter isSuspicion: for nothing but that something takes long. Where none is fit then and the one that is used did not
    ///   answer, that says nothing against it: a look has a short time.
    mutating func looked(_ sights: [ServerSight], isSuspicion: Bool = false, now: Int64) -> Verdict {
        silent = silent.filter { now - $0.value < Self.memory }
        var fit: [ServerSight] = []
        // A cluster with one writer says itself who it is: who does not answer is not.
        let hasSuccessor = sights.contains { isSucceeded(by: $0) }
        for sight in sights {
            guard let found = sight.isFit ? sight : hasSuccessor ? nil : trusted(sight, now) else { continue }
            if !fit.contains(where: { $0.identity == found.identity }) { fit.append(found) }
        }
        let answering = fit.filter { silent[$0.identity] == nil }
        let candidates = answering.isEmpty ? fit : answering
        conflict = nil
        if candidates.isEmpty, isSuspicion, let current, Self.isAway(current, sights) { return .use(current) }
        isInDoubt = true
        guard let first = candidates.first else { return .none(Self.error(sights)) }
        guard candidates.count > 1 else { return use(first) }
        if let cluster = first.cluster, cluster.hasSeveralWriters, candidates.allSatisfy({ $0.cluster == cluster }) {
            return use(agreed(candidates) ?? candidates.first { $0.identity == current?.identity } ?? first)
        }
        let names = candidates.map { "\($0.address)" }.joined(separator: " and ")
        conflict = "\(names) both take writes and are not one cluster: fence off the one that is not the primary"
        let witnessed = candidates.filter { sight in
            sight.witnesses.contains { $0.rank != ownRank && $0.mark == serverMark(of: sight.identity) }
        }
        guard witnessed.count == 1 else {
            current = nil
            return .none(MariaDBError(code: MariaDBError.readOnlyCode, message: conflict ?? names))
        }
        return use(witnessed[0])
    }

    /// The same for a process that reads: the first that is fit, else the first that answers.
    mutating func lookedForReading(_ sights: [ServerSight], now: Int64) -> Verdict {
        isInDoubt = true
        guard let found = sights.first(where: \.isFit) ?? sights.first(where: { !$0.identity.isEmpty }) else {
            return .none(Self.error(sights))
        }
        return use(found)
    }

    // MARK: Rules

    /// Whether the server that is used has a successor, by the word of their cluster, which has one writer.
    func isSucceeded(by sight: ServerSight) -> Bool {
        guard let current, sight.isFit, sight.identity != current.identity else { return false }
        return sight.cluster != nil && sight.cluster == cluster && !hasSeveralWriters
    }

    private var hasSeveralWriters: Bool { cluster?.hasSeveralWriters == true }

    private mutating func use(_ sight: ServerSight) -> Verdict {
        let server = Server(address: sight.address, identity: sight.identity)
        if current?.identity != server.identity { wroteAt = .min }
        (current, cluster) = (server, sight.cluster)
        isInDoubt = silent[server.identity] != nil
        return .use(server)
    }

    /// The current server, where a look at it failed and its writes return: a look has a short time, and takes a busy server for one
    /// that is away.
    private func trusted(_ sight: ServerSight, _ now: Int64) -> ServerSight? {
        guard case .away = sight.state, let current, current.address == sight.address, wroteAt > .min,
            now - wroteAt < Self.trust, silent[current.identity] == nil
        else { return nil }
        return ServerSight(address: current.address, identity: current.identity, cluster: cluster, state: .fit)
    }

    static func isAway(_ server: Server, _ sights: [ServerSight]) -> Bool {
        sights.contains { if $0.address == server.address, case .away = $0.state { true } else { false } }
    }

    /// Where the smallest witness is that can be followed.
    private func agreed(_ candidates: [ServerSight]) -> ServerSight? {
        for witness in candidates.flatMap(\.witnesses).sorted(by: { $0.rank < $1.rank }) {
            if let sight = candidates.first(where: { serverMark(of: $0.identity) == witness.mark }) { return sight }
        }
        return nil
    }

    /// It is a refusal only where each address refuses, and read-only where one of them is.
    private static func error(_ sights: [ServerSight]) -> MariaDBError {
        var reasons: [String] = []
        var errors: [MariaDBError] = []
        var isReadOnly = false
        for sight in sights {
            switch sight.state {
            case .fit: break
            case .readOnly:
                isReadOnly = true
                reasons.insert("\(sight.address) is read-only", at: 0)
            case .unready(let reason):
                isReadOnly = true
                reasons.append("\(sight.address): \(reason)")
            case .away(let error):
                errors.append(error)
                reasons.append(error.message)
            }
        }
        let text = reasons.joined(separator: "; ")
        if isReadOnly {
            return MariaDBError(
                code: MariaDBError.readOnlyCode, message: "no database server takes writes: \(text)")
        }
        guard let first = errors.first(where: { !$0.isRefused }) ?? errors.first else {
            return MariaDBError(code: 2003, message: "no server is configured")
        }
        if errors.count == 1 { return first }
        return MariaDBError(
            code: first.code, sqlState: first.sqlState, message: text, statement: first.statement,
            isConnectionLost: true, isRefused: first.isRefused)
    }
}
