import KiteQCore
import MariaDB

/// Answers to half messages that were parked, within one transaction: what lies there, locked, and what becomes of it.
struct LateAnswers {
    private struct Letter {
        var number: Int64
        var seq: Int64
        var attempts: Int64
        var topic: String
        var messageType: String
        var publisherGroup: String
    }

    private struct Remembered {
        var seq: Int64
        var publisherGroup: String
        var connectionGroup: String
        var outcome: TransactionOutcome
    }

    private struct Decision {
        var id: MessageID
        var letter: Letter
        var answer: TransactionDecision.Answer
        /// Who gets it; nil for a roll back.
        var route: Route?
        var isRemembered: Bool
    }

    /// By message, oldest first.
    private var letters: [MessageID: [Letter]] = [:]
    private var transactions: [MessageID: Remembered] = [:]
    /// Ids that are on their way again.
    private var underWay: Set<MessageID> = []
    private var decisions: [Decision] = []

    /// Locks and reads what lies there of the messages that are answered.
    init(to batch: [TransactionDecision], on connection: isolated MariaDBConnection) throws {
        let ids = Set(batch.map(\.messageID)).sorted().map(\.value)
        var letters: [MessageID: [Letter]] = [:]
        try connection.query(SQL.lockParked, list: ids) { row in
            letters[try row.id(2), default: []].append(
                Letter(
                    number: try row.int(0), seq: try row.int(1), attempts: try row.int(3), topic: try row.text(4),
                    messageType: try row.text(5), publisherGroup: try row.text(6)))
        }
        var transactions: [MessageID: Remembered] = [:]
        try connection.query(SQL.lockTransactions, list: ids) { row in
            transactions[try row.id(1)] = Remembered(
                seq: try row.int(0), publisherGroup: try row.text(2), connectionGroup: try row.text(3),
                outcome: try row.outcome(4))
        }
        var underWay: Set<MessageID> = []
        try connection.query(SQL.messagesByID, list: ids) { underWay.insert(try $0.id(1)) }
        (self.letters, self.transactions, self.underWay) = (letters, transactions, underWay)
    }

    /// What each answer comes to, in the order of the batch; nil where there is nothing new to say. Contents come later.
    mutating func judge(
        _ batch: [TransactionDecision], _ route: (String, String) -> Route?
    ) -> [TransactionDecision.Outcome?] {
        var answered: [MessageID: TransactionOutcome] = [:]
        var left: [MessageID: TransactionDecision.Undecided] = [:]
        return batch.map { decision -> TransactionDecision.Outcome? in
            let id = decision.messageID
            let transaction = transactions[id]
            let found = letter(of: id, transaction)
            guard let publisher = transaction?.publisherGroup ?? found?.publisherGroup else { return nil }
            guard decision.mayDecide(publisherGroup: publisher, publishedBy: transaction?.connectionGroup) else {
                return .wrongGroup(publisherGroup: publisher)
            }
            guard let letter = found else {
                // A person decided it since it was looked at, or its letter is gone.
                return transaction.flatMap { $0.outcome == .undecided ? nil : .alreadyDecided($0.outcome) }
            }
            if let outcome = answered[id] ?? transaction?.outcome, outcome != .parked {
                return .alreadyDecided(outcome)
            }
            if underWay.contains(id) { return .alreadyDecided(.parked) }
            if let undecided = left[id] { return .unknownTopic(undecided) }
            var receivers: Route?
            if decision.answer == .commit {
                receivers = route(letter.topic, letter.messageType)
                if receivers == nil {
                    let undecided = TransactionDecision.Undecided(
                        topic: letter.topic, messageType: letter.messageType, place: nil,
                        checks: Int(letter.attempts))
                    left[id] = undecided
                    return .unknownTopic(undecided)
                }
            }
            answered[id] = decision.answer.outcome
            decisions.append(
                Decision(
                    id: id, letter: letter, answer: decision.answer, route: receivers, isRemembered: transaction != nil)
            )
            guard let receivers else { return .decidedLate(.rolledBack) }
            return .decidedLate(
                receivers.isEmpty
                    ? .committedForNobody(topic: letter.topic, messageType: letter.messageType)
                    : .committed(seq: letter.seq, route: receivers, message: nil))
        }
    }

    /// That of the transaction; where no transaction is known of any more, the newest.
    private func letter(of id: MessageID, _ transaction: Remembered?) -> Letter? {
        guard let transaction else { return letters[id]?.last }
        return letters[id]?.last { $0.seq == transaction.seq }
    }

    /// Those that messages are restored with.
    var routes: [Route] { decisions.compactMap(\.route).filter { !$0.isEmpty } }

    /// Messages that are restored.
    var committed: [(seq: Int64, route: RouteID)] {
        decisions.compactMap { decision in
            decision.route.flatMap { $0.isEmpty ? nil : (decision.letter.seq, $0.id) }
        }
    }

    /// Restores what is committed, ends the letters, and remembers the decisions.
    func write(as owner: Int64, on connection: isolated MariaDBConnection) throws {
        guard !decisions.isEmpty else { return }
        let now = try Shard.serverTime(on: connection)
        let sorted = decisions.sorted { $0.letter.seq < $1.letter.seq }
        for decision in sorted {
            guard let route = decision.route, !route.isEmpty else { continue }
            try connection.execute(
                SQL.restoreCommitted,
                [
                    .int(owner), .int(route.id), .int(now + DeadLetter.shortestLife), .int(decision.letter.number),
                ])
        }
        for answer in [TransactionDecision.Answer.commit, .rollBack] {
            let seqs = sorted.filter { $0.answer == answer && $0.isRemembered }.map { MariaDBValue.int($0.letter.seq) }
            try connection.execute(
                DeadLetterSQL.decideParked, list: seqs,
                before: [.int(Int64(answer.outcome.rawValue)), .int(now)])
        }
        for decision in sorted where !decision.isRemembered {
            let (letter, group) = (decision.letter, MariaDBValue.text(decision.letter.publisherGroup))
            let subject = SubjectHash.of(topic: letter.topic, messageType: letter.messageType)
            try connection.execute(
                SQL.rememberDecision,
                [
                    .int(letter.seq), decision.id.value, .int(Int64(decision.answer.outcome.rawValue)),
                    .int(letter.attempts), .int(now), group, group, .int(Int64(bitPattern: subject)),
                ])
        }
        try connection.execute(DeadLetterSQL.delete, list: sorted.map(\.letter.number).sorted().map { .int($0) })
    }

    /// The outcomes with the messages, which live longer than a broker may have them in memory.
    static func adding(
        _ contents: [MessageID: Message], to outcomes: [TransactionDecision.Outcome?], of batch: [TransactionDecision]
    ) -> [TransactionDecision.Outcome?] {
        zip(batch, outcomes).map { decision, outcome in
            guard case .decidedLate(.committed(let seq, let route, _)) = outcome else { return outcome }
            return .decidedLate(.committed(seq: seq, route: route, message: contents[decision.messageID]))
        }
    }
}
