import KiteQCore

/// The clients here that can be asked about the half messages of one page. Each group is looked up once.
struct QuestionAudience {
    private let clients: any ClientDirectory
    private let halfMessages: HalfMessageCache
    /// ``DueTransaction/groups(trustingHeader:)``
    private let trustsHeader: Bool
    private let now: MonotonicTime
    private var byGroup: [BindingName: [any QuestionedClient]] = [:]
    private var byID: [UInt64: any QuestionedClient] = [:]

    init(_ clients: any ClientDirectory, _ halfMessages: HalfMessageCache, trustsHeader: Bool, now: MonotonicTime) {
        self.now = now
        self.trustsHeader = trustsHeader
        self.clients = clients
        self.halfMessages = halfMessages
    }

    /// The connection that published it, and all others of the groups that may answer.
    mutating func candidates(for due: DueTransaction) -> [QuestionPlan.Candidate] {
        let publisher = halfMessages.publisher(of: due.message.id, seq: due.seq).flatMap { $0.isOpen ? $0 : nil }
        var candidates: [QuestionPlan.Candidate] = []
        if let publisher { candidates.append(candidate(publisher, isPublisher: true, preference: 0)) }
        for (place, group) in due.groups(trustingHeader: trustsHeader).enumerated() {
            for connection in askable(of: group) where connection.id != publisher?.id {
                // The header's group before that of the connection.
                let preference = (connection.askPreference ?? 0) * 2 - place
                candidates.append(candidate(connection, isPublisher: false, preference: preference))
            }
        }
        return candidates
    }

    /// Whether this broker took the half message, and still knows from whom.
    func isOwn(_ due: DueTransaction) -> Bool { halfMessages.publisher(of: due.message.id, seq: due.seq) != nil }

    subscript(id: UInt64) -> (any QuestionedClient)? { byID[id] }

    private mutating func askable(of group: String) -> [any QuestionedClient] {
        if let known = byGroup[BindingName(group)] { return known }
        let found = clients.askable(of: group)
        byGroup[BindingName(group)] = found
        return found
    }

    private mutating func candidate(
        _ connection: any QuestionedClient, isPublisher: Bool, preference: Int
    ) -> QuestionPlan.Candidate {
        byID[connection.id] = connection
        return QuestionPlan.Candidate(
            id: connection.id, isPublisher: isPublisher, isUnhelpful: connection.isUnhelpful(now: now),
            preference: preference
        )
    }
}
