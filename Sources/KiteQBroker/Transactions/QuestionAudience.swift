import KiteQCore

/// The clients here that can be asked about the half messages of one page. Each group is looked up once.
struct QuestionAudience {
    private let connections: ConnectionTable
    private let halfMessages: HalfMessageCache
    /// ``DueTransaction/groups(trustingHeader:)``
    private let trustsHeader: Bool
    private let now: MonotonicTime
    private var byGroup: [BindingName: [Connection]] = [:]
    private var byID: [UInt64: Connection] = [:]

    init(_ connections: ConnectionTable, _ halfMessages: HalfMessageCache, trustsHeader: Bool, now: MonotonicTime) {
        self.now = now
        self.trustsHeader = trustsHeader
        self.connections = connections
        self.halfMessages = halfMessages
    }

    /// The connection that published it, and all others of the groups that may answer.
    mutating func candidates(for due: DueTransaction) -> [QuestionPlan.Candidate] {
        let publisher = halfMessages.publisher(of: due.message.id, seq: due.seq).flatMap { $0.isOpen ? $0 : nil }
        var candidates: [QuestionPlan.Candidate] = []
        if let publisher { candidates.append(candidate(publisher, isPublisher: true, preference: 0)) }
        for (place, group) in due.groups(trustingHeader: trustsHeader).enumerated() {
            for connection in clients(of: group) where connection.id != publisher?.id {
                // The header's group before that of the connection.
                let preference = (connection.askPreference ?? 0) * 2 - place
                candidates.append(candidate(connection, isPublisher: false, preference: preference))
            }
        }
        return candidates
    }

    /// Whether this broker took the half message, and still knows from whom.
    func isOwn(_ due: DueTransaction) -> Bool { halfMessages.publisher(of: due.message.id, seq: due.seq) != nil }

    subscript(id: UInt64) -> Connection? { byID[id] }

    private mutating func clients(of group: String) -> [Connection] {
        if let known = byGroup[BindingName(group)] { return known }
        let clients = connections.askable(of: group)
        byGroup[BindingName(group)] = clients
        return clients
    }

    private mutating func candidate(
        _ connection: Connection, isPublisher: Bool, preference: Int
    ) -> QuestionPlan.Candidate {
        byID[connection.id] = connection
        return QuestionPlan.Candidate(
            id: connection.id, isPublisher: isPublisher, isUnhelpful: connection.isUnhelpful(now: now),
            preference: preference
        )
    }
}
