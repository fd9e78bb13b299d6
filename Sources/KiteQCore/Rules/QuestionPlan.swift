/// Who is asked next about a half message that nobody has decided, and whether another broker should ask.
///
/// The first question goes to the connection that published it, each further one to the client that was asked least about
/// this message; brokers that have clients of its publisher take turns. So one client that is connected and silent does not
/// use up the questions while another could answer.
///
/// It remembers what this broker asked, about a bounded number of messages. What it has forgotten, and what brokers asked
/// before it started, costs at most a question to a client that was asked before.
package struct QuestionPlan: Sendable {
    /// A client that may be asked.
    package struct Candidate: Sendable, Hashable {
        package var id: UInt64
        /// Its connection published this half message.
        package var isPublisher: Bool
        /// It was asked, about whatever message, and has been silent for long, or could not tell.
        package var isUnhelpful: Bool
        /// How well it can be asked, apart from that: the greater the better.
        package var preference: Int

        package init(id: UInt64, isPublisher: Bool, isUnhelpful: Bool, preference: Int) {
            self.id = id
            self.isPublisher = isPublisher
            self.isUnhelpful = isUnhelpful
            self.preference = preference
        }
    }

    /// A due half message as its row is.
    package struct Row: Sendable, Hashable {
        package var seq: Int64
        /// Questions asked so far, by whichever brokers.
        package var checks: Int
        package var dueAt: Timestamp

        package init(seq: Int64, checks: Int, dueAt: Timestamp) {
            self.seq = seq
            self.checks = checks
            self.dueAt = dueAt
        }
    }

    private struct Asked {
        /// What the row has had since this broker's last question, unless another one asked.
        var checks: Int
        var clients: [UInt64: Int] = [:]
    }

    private let limit: Int
    private var asked: [Int64: Asked] = [:]
    /// Those of before `asked` was full last.
    private var older: [Int64: Asked] = [:]

    /// - Parameter limit: messages that are remembered at least; twice as many at most.
    package init(limit: Int = 20_000) {
        self.limit = max(1, limit)
    }

    // MARK: Turns

    /// Whether the question is left to another broker that has clients of its publisher, for now: the first one to the broker
    /// that took the message, each further one to a broker that has not asked yet, else to one that did not ask last. Never for
    /// longer than `grace` from when it was due: the others may have no client that can be asked, or serve other topics.
    ///
    /// - Parameters:
    ///   - isOwn: whether this broker took the message from its publisher.
    ///   - isElsewhere: whether another broker has clients that may be asked, as far as is known.
    package func isOthersTurn(_ row: Row, isOwn: Bool, isElsewhere: Bool, now: Timestamp, grace: Timestamp) -> Bool {
        // One that is due since it lies further ahead than it may has waited for too long already.
        guard isElsewhere, row.dueAt <= now else { return false }
        let patience: Timestamp
        if row.checks == 0 {
            patience = isOwn ? 0 : grace
        } else if let asked = memory(of: row.seq) {
            patience = asked.checks == row.checks ? grace : grace / 3
        } else {
            patience = 0
        }
        return now - row.dueAt < patience
    }

    // MARK: Clients

    /// The client to ask; nil where there is none.
    package func next(for row: Row, among candidates: [Candidate]) -> Candidate? {
        let clients = memory(of: row.seq)?.clients ?? [:]
        func place(_ candidate: Candidate) -> (Int, Int, Int, Int) {
            (
                clients[candidate.id] ?? 0, candidate.isPublisher ? 0 : 1, candidate.isUnhelpful ? 1 : 0,
                -candidate.preference
            )
        }
        guard let best = candidates.map(place).min(by: <) else { return nil }
        // Clients that are as good get different messages.
        let equals = candidates.filter { place($0) == best }.sorted { $0.id < $1.id }
        return equals[Int(UInt64(bitPattern: row.seq) % UInt64(equals.count))]
    }

    /// This broker asked: the row has one question more.
    package mutating func asked(_ client: UInt64, about row: Row) {
        var entry = memory(of: row.seq) ?? Asked(checks: 0)
        entry.checks = row.checks + 1
        entry.clients[client, default: 0] += 1
        if asked[row.seq] == nil, asked.count >= limit { (older, asked) = (asked, [:]) }
        asked[row.seq] = entry
    }

    private func memory(of seq: Int64) -> Asked? { asked[seq] ?? older[seq] }
}
